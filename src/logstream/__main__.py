"""``python -m logstream``: the same as the command ``logstream``."""

from __future__ import annotations

import sys

from logstream.cli import main

if __name__ == "__main__":
    sys.exit(main())
