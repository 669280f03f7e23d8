"""The store process of ``logstream up``: batch worker, live hub and dashboard.

Started by the supervisor as ``python -m logstream.cli.store_process``; settings come from the
environment.
"""

from __future__ import annotations

import os
import sys

from logstream import settings
from logstream.cli import exits
from logstream.cli.group import report
from logstream.cli.process import leave, run_until_stopped, start_process
from logstream.errors import LogStreamError

__all__ = ["main"]

# On the same cores ingestion goes first, in the ratio 3 to 1: a sender waits for its answer, a
# group can wait in the broker, and a heavy query must not hold up either.
_NICENESS = 5


def main() -> int:
    """Run until told to stop; the exit code."""
    try:
        loaded = settings.load().settings
        start_process(loaded)
        os.nice(_NICENESS)
        from logstream.cli.parts import run_store

        run_until_stopped(lambda stop: run_store(loaded, stop))
        leave()
    except LogStreamError as error:
        report(error)
        return exits.code_of(error)
    return exits.OK


if __name__ == "__main__":
    sys.exit(main())
