"""The error tree and the one JSON shape."""

from __future__ import annotations

import re

import pytest

from logstream import errors
from logstream.errors import BrokerUnavailable, LogStreamError, QueryError, RetryLater

CLASSES = [
    value
    for name in errors.__all__
    if isinstance(value := getattr(errors, name), type) and issubclass(value, LogStreamError)
]


def test_the_public_names_are_the_module() -> None:
    """Every error class is exported and every exported name exists."""
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, LogStreamError)
    }
    assert defined == set(errors.__all__)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_each_error_is_drawn_in_the_tree_with_its_status(kind: type[LogStreamError]) -> None:
    """The drawing in the docstring agrees with the code."""
    assert errors.__doc__ is not None
    line = re.search(rf"\b{kind.__name__}\b *(\d{{3}})?", errors.__doc__)
    assert line is not None
    if line[1]:
        assert int(line[1]) == kind.status


def test_the_json_shape() -> None:
    """Code and message always, hint when there is one, details beside them."""
    assert LogStreamError("it broke").to_json() == {
        "error": {"code": "internal", "message": "it broke"}
    }
    error = QueryError("unexpected |", line=1, column=4, expected=("a word",), hint="quote it")
    assert error.to_json() == {
        "error": {
            "code": "bad_query",
            "message": "unexpected |",
            "hint": "quote it",
            "line": 1,
            "column": 4,
            "expected": ["a word"],
        }
    }
    assert RetryLater("busy", retry_after_s=7).to_json()["error"]["retry_after_s"] == 7


def test_what_may_have_been_kept_is_said_to_the_sender() -> None:
    """The hint says what to do about it, beside the hint there was; without doubt there is none."""
    doubtful = BrokerUnavailable("no answer", hint="see to the disk", maybe_kept=True)
    hint = doubtful.to_json()["error"]["hint"]
    assert hint.startswith("see to the disk; some or all of it may have been kept")
    assert "hint" not in BrokerUnavailable("no answer").to_json()["error"]
    assert RetryLater("busy", maybe_kept=True).to_json()["error"]["hint"].startswith("some or all")
