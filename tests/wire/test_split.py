"""Large bodies are decoded in parts, and it does not show."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from logstream.wire.split import Array, Elements, Lines, elements, parts

texts = st.text('},{[]" \\', max_size=8)
records = st.dictionaries(
    texts,
    st.one_of(texts, st.lists(st.dictionaries(texts, texts, max_size=2), max_size=3)),
    max_size=3,
)


def values(body: bytes, part_bytes: int) -> list[Any]:
    found: list[Any] = []
    for part in parts(body, part_bytes):
        if isinstance(part, Lines):
            found += [json.loads(line) for line in part.data.splitlines() if line.strip()]
        elif isinstance(part, Array):
            found += json.loads(part.data)
        else:
            found += [json.loads(item) for item in part.items]
    return found


@given(items=st.lists(records, max_size=12), size=st.integers(1, 60), lines=st.booleans())
def test_parts_hold_every_record_once(items: list[Any], size: int, lines: bool) -> None:
    """However small the parts, together they are the body's records, in order."""
    body = "\n".join(map(json.dumps, items)) if lines else json.dumps(items)
    if body[:1] in ("{", "["):
        assert values(body.encode(), size) == items


@given(items=st.lists(records, min_size=1, max_size=6))
def test_elements_of_a_sound_array_are_its_values(items: list[Any]) -> None:
    """The element splitter agrees with the JSON parser."""
    assert [json.loads(item) for item in elements(json.dumps(items)[1:].encode())] == items


def test_a_large_array_with_a_broken_element_is_split_by_element() -> None:
    """From the part that holds the damage on, elements are taken one by one."""
    body = b"[" + b",".join([b'{"a":1}'] * 20 + [b'{"a":}'] + [b'{"a":2}'] * 20) + b"]"
    found = list(parts(body, 40))
    assert any(isinstance(part, Elements) for part in found)
    total = sum(
        len(part.items) if isinstance(part, Elements) else len(json.loads(part.data))
        for part in found
        if not isinstance(part, Lines)
    )
    assert total == 41


def test_an_unclosed_string_is_one_pass() -> None:
    """A megabyte of quotes and backslashes does not make the splitter go back and forth."""
    assert len(list(elements(b'{"' + b'\\"' * 500_000))) == 1
