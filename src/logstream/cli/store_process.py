"""The store process of ``logstream up``: batch worker, live hub and dashboard.

Started by the supervisor as ``python -m logstream.cli.store_process``; settings come from the
environment.
"""

from __future__ import annotations

import sys

from logstream import settings
from logstream.cli import exits
from logstream.cli.group import report
from logstream.cli.process import run_until_stopped, start_process
from logstream.errors import LogStreamError

__all__ = ["main"]


def main() -> int:
    """Run until told to stop; the exit code."""
    try:
        loaded = settings.load().settings
        start_process(loaded)
        from logstream.cli.parts import run_store

        run_until_stopped(lambda stop: run_store(loaded, stop))
    except LogStreamError as error:
        report(error)
        return exits.code_of(error)
    return exits.OK


if __name__ == "__main__":
    sys.exit(main())
