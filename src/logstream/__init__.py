"""LogStream AI: a log platform that acknowledges only what is already safe."""

from __future__ import annotations

__version__ = "0.1.0"
