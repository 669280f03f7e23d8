"""The language reference says what the parser does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from logstream.errors import QueryError
from logstream.query import CANONICAL, parse
from logstream.query.fields import SYNONYMS
from logstream.query.parser import AGGREGATES

_TEXT = (Path(__file__).parents[2] / "docs" / "query-language.md").read_text("utf-8")
_EXAMPLES = {
    line
    for block in re.findall(r"```query\n(.*?)```", _TEXT, re.DOTALL)
    for line in block.split("\n")
    if line
}
_ERROR_ROW = r"^\| `([^`]+)` \| `([^`]+)` at (\d+):(\d+)(?:; (.+?))? \|$"
_ERRORS = re.findall(_ERROR_ROW, _TEXT, re.MULTILINE)


@pytest.mark.parametrize("text", sorted(_EXAMPLES))
def test_examples_parse(text: str) -> None:
    """Every example is a query, and its canonical text is the same one."""
    query = parse(text)
    assert parse(str(query)) == query


@pytest.mark.parametrize(("text", "message", "line", "column", "hint"), _ERRORS)
def test_errors_are_as_documented(
    text: str, message: str, line: str, column: str, hint: str
) -> None:
    """Every documented error comes with the message, place and suggestion it is documented with."""
    with pytest.raises(QueryError) as caught:
        parse(text.replace("\\|", "|"))
    assert caught.value.message.startswith(message)
    assert (caught.value.line, caught.value.column) == (int(line), int(column))
    assert caught.value.hint == hint


def test_every_name_is_documented() -> None:
    """Canonical names, synonyms and functions are all in the reference."""
    names = set(re.findall(r"`([^`\n]+?)(?:\([^`]*\))?`", _TEXT))
    assert set(CANONICAL) | set(SYNONYMS) | set(AGGREGATES) <= names
    assert len(_ERRORS) == 8
