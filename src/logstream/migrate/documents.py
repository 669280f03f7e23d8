"""Documents of the product that was there before: ``level, message, service, timestamp, metadata``.

A document is read as ingestion reads the same record in JSON, so what is imported looks like what
the same sender sends today: ``metadata.user`` is an attribute, ``warning`` is the level ``warn``.
What ingestion bounds is not bounded here: it was stored once already.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from logstream.clock import NS_PER_S, SYSTEM_CLOCK, Clock
from logstream.errors import SettingError
from logstream.migrate.source import LIMITS, Chunk, Refused, Source
from logstream.record import concat
from logstream.store.base import TimeRange
from logstream.store.mongodb.driver import Connection, Deadline, Doc, decoded, encoded
from logstream.store.mongodb.store import COLLECTION
from logstream.timestamps import MAX_TIMESTAMP_NS
from logstream.wire import NativeDecoder, WireLimits
from logstream.wire.limits import MAX_ERRORS

__all__ = ["DocumentsSource", "find_documents", "looks_like_logs", "opened"]

_FIRST_TYPES = ("minKey", "null", "number", "string", "object", "array", "binData", "objectId")
_OTHER_TYPES = ("bool", "date", "timestamp", "regex", "maxKey")
_TYPES = (*_FIRST_TYPES, *_OTHER_TYPES)
"""BSON types in the order in which a server sorts values of several."""
_MESSAGES = ("message", "msg")
_OTHERS = ("level", "timestamp", "service", "metadata")
_SHOWN_BYTES = 2_000
_PAGE_ROWS = 10_000


def looks_like_logs(document: Mapping[str, Any]) -> bool:
    """Whether a document has a message and something else that a log has."""
    return any(key in document for key in _MESSAGES) and any(key in document for key in _OTHERS)


async def find_documents(url: str, collection: str) -> str:
    """The collection to import from: the one named, else the only one that holds logs. Empty: the
    database is LogStream's own.

    Raises:
        SettingError: there is none, or more than one.
        StoreUnavailable: the server does not answer.
    """
    if collection == COLLECTION:
        return ""
    async with opened(url, collection or COLLECTION) as database:
        names = [collection] if collection else await _collections(database)
        if not collection and COLLECTION in names:
            return ""
        found = []
        for name in names:
            async with opened(url, name) as other:
                if any(looks_like_logs(each) for each in await _sample(other)):
                    found.append(name)
    if len(found) == 1:
        return found[0]
    if collection:
        raise SettingError(
            f"the collection {collection!r} holds no logs",
            hint="its documents should have message, level, timestamp, service, metadata",
        )
    raise SettingError(
        "the source's database has no logs" if not found else "several collections hold logs",
        hint=f"give --collection, one of {', '.join(found or names) or 'those that are there'}",
    )


@asynccontextmanager
async def opened(url: str, collection: str) -> AsyncIterator[Connection]:
    """A connection to a collection, closed at the end of the block."""
    connection = Connection(url, collection=collection, query_concurrency=1)
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


async def _collections(connection: Connection) -> list[str]:
    answer = await connection.command({"listCollections": 1, "nameOnly": True})
    names = (each["name"] for each in answer["cursor"]["firstBatch"])
    return sorted(name for name in names if not name.startswith("system."))


async def _sample(connection: Connection) -> list[Doc]:
    deadline = Deadline(LIMITS.timeout_s)
    batches = connection.batches({}, deadline=lambda: deadline, limit=10, rows=10)
    return [document async for batch in batches for document in batch]


class DocumentsSource(Source):
    """A collection of documents, in the order of their ``_id``.

    Args:
        connection: Opened and closed by the caller.
        between: Only records of this time.
    """

    def __init__(
        self, connection: Connection, between: TimeRange, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._connection = connection
        self._between = between
        self._clock = clock
        now_s = clock.time_ns() / NS_PER_S
        self._decoder = NativeDecoder(
            WireLimits(
                max_message_bytes=1 << 30,
                max_attributes=1 << 20,
                max_attribute_key_bytes=1 << 20,
                max_depth=200,
                past_s=now_s,
                future_s=MAX_TIMESTAMP_NS / NS_PER_S - now_s,
            )
        )

    async def total(self, after: bytes) -> int | None:
        """Of the whole collection, from the server's notes."""
        return None if after else await self._connection.rows()

    async def chunks(self, after: bytes) -> AsyncGenerator[Chunk]:
        """Page by page, each a query of its own: a server forgets a cursor that waits long."""
        documents = 1
        while documents:
            documents = 0
            async for chunk, size in self._page(after):
                documents += size
                after = chunk.position
                yield chunk

    async def _page(self, after: bytes) -> AsyncGenerator[tuple[Chunk, int]]:
        deadline = Deadline(LIMITS.timeout_s)
        batches = self._connection.batches(
            _behind(after), deadline=lambda: deadline, sort=[("_id", 1)], limit=_PAGE_ROWS
        )
        async with aclosing(batches) as found:
            async for documents in found:
                yield self._chunk(documents), len(documents)

    def _chunk(self, documents: Sequence[Doc]) -> Chunk:
        batches: list[pa.RecordBatch] = []
        refused: list[Refused] = []
        now_ns = self._clock.time_ns()
        for start in range(0, len(documents), MAX_ERRORS):
            lines = [_line(each) for each in documents[start : start + MAX_ERRORS]]
            body = b"\n".join(lines)
            done = self._decoder.decode(body, now_ns=now_ns)
            if done.batch is not None:
                batches.append(done.batch)
            for error in done.errors:
                what = lines[error.index][:_SHOWN_BYTES].decode(errors="replace")
                refused.append(Refused(what, error.reason))
        batch = self._in_time(concat(batches)) if batches else None
        if batch is not None and not batch.num_rows:
            batch = None
        return Chunk(batch, encoded({"_id": documents[-1]["_id"]}), tuple(refused))

    def _in_time(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        times = batch.column("Timestamp").cast(pa.int64())
        start_ns, end_ns = self._between.start_ns, self._between.end_ns
        inside = pc.and_(pc.greater_equal(times, start_ns), pc.less_equal(times, end_ns - 1))
        return batch if pc.all(inside).as_py() else batch.filter(inside)


def _behind(after: bytes) -> Doc:
    """Documents whose ``_id`` sorts behind one. ``$gt`` alone finds those of its own type."""
    if not after:
        return {}
    last = decoded(after)["_id"]
    kind = _TYPES.index(_type_of(last))
    following = [{"_id": {"$type": each}} for each in _TYPES[kind + 1 :] if each in _ID_TYPES]
    return {"$or": [{"_id": {"$gt": last}}, *following]} if following else {"_id": {"$gt": last}}


_ID_TYPES = frozenset({"number", "string", "object", "binData", "objectId", "bool", "date"})
"""What people use as ``_id``."""


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    for kind, name in (
        ((int, float), "number"),
        (str, "string"),
        (bytes, "binData"),
        (Mapping, "object"),
        (dt.datetime, "date"),
    ):
        if isinstance(value, kind):
            return name
    return "objectId" if type(value).__name__ == "ObjectId" else "number"


def _line(document: Doc) -> bytes:
    """The document as a line of JSON, without MongoDB's and Mongoose's own members."""
    fields = {key: plain(value) for key, value in document.items() if key not in ("_id", "__v")}
    if not isinstance(fields.get("timestamp"), (str, int, float)):
        made = getattr(document.get("_id"), "generation_time", None)
        if isinstance(made, dt.datetime):  # an ObjectId knows its second
            fields["timestamp"] = plain(made)
    return msgspec.json.encode(fields)


def plain(value: Any) -> Any:
    """A BSON value as JSON has it: dates as RFC 3339, bytes as base64, the rest as its text."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, dt.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return moment.isoformat()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return str(value)
