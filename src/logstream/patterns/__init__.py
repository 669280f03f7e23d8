"""Log patterns: what many messages have in common, mined from a sample of them.

`masking` takes a message apart into words and the typed tokens in them, `miner` groups messages
that are alike, `template` is what a group has in common: text, tokens with their values, and the
regular expression that finds it. All of it is pure, bounded, and the same for the same input.
"""

from __future__ import annotations

from logstream.patterns.miner import Mined, Sampled, Stopped, mine
from logstream.patterns.template import Part, Template, Token

__all__ = ["Mined", "Part", "Sampled", "Stopped", "Template", "Token", "mine"]
