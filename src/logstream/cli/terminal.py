"""Text from elsewhere, made harmless for a terminal."""

from __future__ import annotations

import re

__all__ = ["LEVEL_STYLES", "neutral", "neutral_json"]

# C0 but newline and tab, DEL, C1, and what turns the direction of writing around or hides text.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)

LEVEL_STYLES = {
    "trace": {"dim": True},
    "debug": {"dim": True},
    "info": {"fg": "green"},
    "warn": {"fg": "yellow"},
    "error": {"fg": "red"},
    "fatal": {"fg": "red", "bold": True},
}
"""How `click.style` shows a level."""


def neutral(text: str, *, indent: str = "") -> str:
    """The text with control characters written out as escapes; a new line starts with ``indent``.

    Escape sequences in a message can then neither colour, move the cursor, nor hide anything.
    """
    shown = _CONTROL.sub(_escape, text)
    return shown.replace("\n", f"\n{indent}") if indent else shown


def neutral_json(text: str) -> str:
    r"""JSON text that means the same, with such characters as ``\uXXXX``."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
