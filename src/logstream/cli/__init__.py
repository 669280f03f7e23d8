"""The command line: one module for each command, imported when it is run.

Exit codes are those of `exits`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. ``None``: the process's own arguments."""
    from logstream.cli.group import run

    return run(list(sys.argv[1:] if arguments is None else arguments))
