"""What a request's head says about its body."""

from __future__ import annotations

from urllib.parse import parse_qs

from logstream.errors import BadRequest, UnsupportedMedia

__all__ = ["ACKS", "ack_of", "check_content_type"]

ACKS = ("queued", "durable", "stored")
"""How far a request's records have come when it is answered."""
_ACK_HINT = f"one of {', '.join(ACKS)}"

# What curl sends unless told otherwise is on the list: the body itself tells what it is.
_CONTENT_TYPES = frozenset(
    (
        "application/json",
        "application/jsonl",
        "application/ndjson",
        "application/octet-stream",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "text/plain",
    )
)


def ack_of(query_string: str) -> str:
    """The ``ack`` parameter; the default is ``durable``.

    A parameter nobody here knows is refused: a misspelt ``ack`` would promise less than was asked.

    Raises:
        BadRequest: not one of `ACKS`, or another parameter.
    """
    given = parse_qs(query_string, keep_blank_values=True)
    ack = given.pop("ack", ["durable"])[-1]
    if given:
        name = next(iter(given))[:40]
        raise BadRequest(
            f"there is no parameter {name!r}", hint=f"the only one is ack: {_ACK_HINT}"
        )
    if ack not in ACKS:
        raise BadRequest(f"ack cannot be {ack[:40]!r}", hint=f"give {_ACK_HINT}")
    return ack


def check_content_type(header: str | None) -> None:
    """Raises `UnsupportedMedia` for a body that says that it is something else than JSON text."""
    if not header or header == "application/json":
        return
    kind, _, parameters = header.partition(";")
    if kind.strip().lower() not in _CONTENT_TYPES:
        raise UnsupportedMedia(
            f"content type {kind.strip()[:80]!r} is not read here",
            hint="send application/json or application/x-ndjson",
        )
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedMedia(f"charset {charset[:40]!r} is not read here, send UTF-8")
