"""A smaller process: what the ingestion path never uses is not loaded.

pyarrow loads pandas, when it is installed, at the first array it makes: seconds of start-up and
tens of megabytes, for conversions that nothing here asks for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["leave_out_pandas"]


class _NoPandas(MetaPathFinder):
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is left out of this process", name=fullname)
        return None


def leave_out_pandas() -> None:
    """Make pandas look absent in this process.

    For the entry point of a process that only ingests, before it imports anything that uses
    pyarrow; never in one that opens the embedded store, whose driver needs pandas.
    """
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandas())
