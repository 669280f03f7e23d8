"""JSON files in every layout: each object is a record, and what is broken takes no neighbour."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.cli import exits, main
from logstream.cli.formats import RawLine
from logstream.cli.importing.documents import documents, has_documents
from tests.client.stub import Reply, Stub, accept, serving

RECORDS: list[dict[str, Any]] = [
    {"time": f"2026-11-23T10:00:{n:02d}Z", "msg": f'{{"[ \\ \n é {n}', "n": {"deep": [{"x": n}]}}
    for n in range(60)
]


def array(indent: int | None) -> str:
    return json.dumps(RECORDS, indent=indent)


def concatenated(indent: int | None, between: str = "\n") -> str:
    return between.join(json.dumps(each, indent=indent) for each in RECORDS)


LAYOUTS = {
    "pretty": concatenated(2),
    "pretty array": array(4),
    "unindented array": array(0),
    "unindented": concatenated(0),
    "array on one line": array(None),
    "all on one line": concatenated(None, ""),
    "with commas": concatenated(None, ",\n"),
    "windows": concatenated(2).replace("\n", "\r\n"),
    "marked": "\ufeff" + array(2),
    "one to a line in an array": "[\n" + concatenated(None, ",\n") + "\n]\n",
}


def split(content: bytes, size: int, start: int = 0) -> list[RawLine]:
    """The documents of a stream that comes in lines of at most ``size`` bytes."""
    pieces = re.findall(rb"[^\n]{0,%d}\n|[^\n]{1,%d}" % (size - 1, size), content)
    assert b"".join(pieces) == content
    return [line for line in documents(pieces, start) if line is not None]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_object_is_a_record(layout: str, tmp_path: Path) -> None:
    """The layout is detected and every object arrives whole, once."""
    path = tmp_path / "app.json"
    path.write_bytes(LAYOUTS[layout].encode())
    with serving(Stub()) as stub:
        assert main(["send", "--url", stub.url, "--batch", "25", str(path)]) == exits.OK
    lines = [line for request in stub.requests for line in request.lines]
    found = sorted(lines, key=lambda line: int(line["n"]["deep"][0]["x"]))
    assert [{key: line[key] for key in RECORDS[0]} for line in found] == RECORDS


@pytest.mark.parametrize("layout", LAYOUTS)
def test_offsets_lead_to_the_same_objects(layout: str) -> None:
    """Reading from behind any object gives the rest, and pieces may be cut anywhere."""
    content = LAYOUTS[layout].encode()
    whole = split(content, 1 << 20)
    assert [json.loads(line.text) for line in whole] == RECORDS
    assert split(content, 7) == whole
    for index, line in enumerate(whole[::20]):
        assert split(content[line.end :], 1 << 20, line.end) == whole[index * 20 + 1 :]


def test_an_object_that_never_ends_takes_no_neighbour() -> None:
    """The next object at the same column begins a new record; what was cut becomes text."""
    for indent, opening in ((2, ""), (2, "[\n")):
        pretty = [json.dumps(each, indent=indent) for each in RECORDS[:3]]
        if opening:
            pretty = ["  " + each.replace("\n", "\n  ") for each in pretty]
        pretty[1] = pretty[1][: len(pretty[1]) // 2]
        found = split((opening + "\n".join(pretty)).encode(), 1 << 20)
        objects = [json.loads(line.text) for line in found if line.text.startswith('{"')]
        assert objects == [RECORDS[0], RECORDS[2]]
        assert len(found) > 2


def test_other_text_between_objects_is_kept() -> None:
    """Lines that are no JSON are lines, also broken objects and text behind one."""
    content = b'start\n{\n "a": 1\n} trailing\n{"a": nope}\n{\n "b": 2\n}\n'
    assert [line.text for line in split(content, 1 << 20)] == [
        "start", '{"a":1}', "trailing", '{"a": nope}', '{"b":2}',
    ]  # fmt: skip


def test_digits_are_kept() -> None:
    """Numbers are sent as they were written."""
    content = b'{\n "big": 12345678901234567890.12345678901234567890\n}'
    (line,) = split(content, 1 << 20)
    assert line.text == '{"big":12345678901234567890.12345678901234567890}'


@given(content=st.binary(max_size=200) | st.text('{}[]",:\\\n a1', max_size=200).map(str.encode))
def test_nothing_is_lost_of_anything(content: bytes) -> None:
    """Whatever a file holds: all of it but what separates objects is in some line, in order, and
    the lines are the same however the file is cut."""
    lines = split(content, 1 << 20)
    assert split(content, 3) == lines
    position = 0
    for line in lines:
        assert not content[position : line.start].strip(b" \t\r\n\f\v,[]\xef\xbb\xbf")
        assert line.start < line.end
        position = line.end
    assert not content[position:].strip(b" \t\r\n\f\v,[]\xef\xbb\xbf")


def test_only_files_of_objects_are_taken_for_such() -> None:
    """Logs that begin with a bracket, and files of other JSON, are not."""
    assert has_documents(["[", "  {", '    "a": 1'])
    assert not has_documents(["[2026-11-23 10:00:00] {x}", "{"])
    assert not has_documents(["[main] INFO", "x"])
    assert not has_documents(["{", "x = 1"])
    assert not has_documents(["[1, 2, 3]"])
    assert not has_documents([])


def test_an_interrupted_import_of_an_array_continues_exactly_once(tmp_path: Path) -> None:
    """An array on one line is gone on with in its middle, batches again with key and body."""
    path, state = tmp_path / "app.json", tmp_path / "state.json"
    path.write_text(array(None))
    options = [str(path), "--batch", "10", "--connections", "1", "--resume", str(state)]
    bodies: dict[str, bytes] = {}
    with serving(Stub(lambda request, n: accept(request, n) if n < 3 else Reply(None))) as stub:
        command = ["send", "--url", stub.url, "--retry", "0.05", *options]
        assert main(command) == exits.UNREACHABLE
        stub.script = accept
        assert main(command) == exits.OK
        for request in stub.requests:
            key = request.headers["idempotency-key"]
            assert bodies.setdefault(key, request.body) == request.body
    lines = [msgspec.json.decode(line) for body in bodies.values() for line in body.split(b"\n")]
    assert sorted(line["n"]["deep"][0]["x"] for line in lines) == list(range(60))
