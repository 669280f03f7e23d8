"""The one place that touches the MongoDB driver: a connection, bounded lanes, errors.

Facts this file is built around:

* a cancelled call closes the connection it ran on, and the server then stops the work; besides,
  every query carries ``maxTimeMS``, so nothing outlives its time limit by more than a moment;
* a write that broke off may have got through; an unordered insert of known ``_id``s can be
  repeated, and what was there already answers as a duplicate key (error 11000);
* the driver encodes on the event loop, so documents are encoded before, in a thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from bson import decode, encode
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, IndexModel, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    InvalidName,
    InvalidOperation,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)

from logstream.errors import (
    LogStreamError,
    RecordsRejected,
    SettingError,
    StoreError,
    StoreUnavailable,
)
from logstream.store.mongodb.errors import (
    NOT_IMPLEMENTED_CODES,
    MapError,
    read_error,
    short,
    too_slow,
    write_error,
)

__all__ = ["Connection", "Deadline", "Doc", "Index", "decoded", "encoded"]

T = TypeVar("T")
Doc = dict[str, Any]
Index = tuple[str, tuple[tuple[str, int], ...], Mapping[str, Any]]
"""An index's name, its keys with 1 or -1, and its other options."""

DATABASE = "logstream"
"""The database of a URL that names none."""

MAX_DOCUMENT_BYTES = 16 << 20
INSERT_TIMEOUT_S = 60.0
_ADMIN_TIMEOUT_S = 60.0
_DUPLICATE_KEY = 11000
_STEP_ROWS = 100
"""Rows handed on at once, so that not more than these and one answer of the server is held."""

# What is waited for when the URL does not say; the driver's own are half a minute and for ever.
_DEFAULTS = {
    "serverselectiontimeoutms": 5_000,
    "connecttimeoutms": 5_000,
    "appname": "logstream",
}
_WRITE_OPTIONS = ("w", "journal", "wtimeoutms")


class Deadline:
    """When a query has to be done."""

    def __init__(self, timeout_s: float) -> None:
        self._end_s = time.monotonic() + timeout_s

    @property
    def left_s(self) -> float:
        return max(self._end_s - time.monotonic(), 0.0)

    @property
    def left_ms(self) -> int:
        """At least 1: to the server 0 means no limit."""
        return max(int(self.left_s * 1000), 1)

    async def wait_for(self, asked: Awaitable[T]) -> T:
        """What is asked, in time.

        Raises:
            QueryTimeout: not in time; it is cancelled.
        """
        try:
            async with asyncio.timeout(self.left_s):
                return await asked
        except TimeoutError as exc:
            raise too_slow() from exc


class Connection:
    """A server and one collection of one of its databases.

    Args:
        url: As the driver takes it. Write concern ``majority``, journaled, unless it says other.
        collection: Created when it is not there.
        query_concurrency: Queries that are with the server at once; more wait.
    """

    def __init__(self, url: str, *, collection: str, query_concurrency: int) -> None:
        self._url = url
        self.name = collection
        self._queries = asyncio.Semaphore(query_concurrency)
        self._inserting = asyncio.Lock()
        self._client: AsyncMongoClient[Doc] | None = None
        self._raw: AsyncCollection[RawBSONDocument] | None = None
        self._closed = False

    async def open(self) -> None:
        """Find the server; again does no harm.

        Raises:
            SettingError: the URL is none.
            StoreUnavailable: no server answers there, or not to us.
        """
        given = {pair.partition("=")[0].lower() for pair in self._url.partition("?")[2].split("&")}
        options: dict[str, Any] = {k: v for k, v in _DEFAULTS.items() if k not in given}
        try:
            self._client = self._client or AsyncMongoClient(self._url, **options)
            database: AsyncDatabase[Any] = self._client.get_default_database(DATABASE)
        except (ConfigurationError, InvalidURI, InvalidName, ValueError) as exc:
            await self.close()
            raise SettingError(f"bad store URL: {exc}") from exc
        concern = None
        if not given.intersection(_WRITE_OPTIONS):
            concern = WriteConcern("majority", j=True)
        self._raw = database.get_collection(self.name, write_concern=concern)
        await self.ping()

    async def close(self) -> None:
        """Let a running insert finish, then drop every connection. Idempotent."""
        self._closed = True
        async with self._inserting:
            client, self._client, self._raw = self._client, None, None
            if client is not None:
                await client.close()

    @property
    def _collection(self) -> AsyncCollection[Any]:
        if self._raw is None or self._closed:
            raise StoreUnavailable("the store is closed")
        return self._raw

    async def ping(self) -> None:
        """Raises `StoreUnavailable` unless the server answers."""
        await self.command({"ping": 1})

    # Reading

    async def batches(
        self,
        where: Doc,
        *,
        deadline: Callable[[], Deadline],
        sort: Sequence[tuple[str, int]] = (),
        projection: Mapping[str, int] | None = None,
        limit: int = 0,
        rows: int = 1_000,
    ) -> AsyncGenerator[list[Doc]]:
        """The documents found, read as they are asked for.

        Args:
            deadline: Asked anew before each batch; one that is always the same bounds the whole.
            rows: What the server sends at once, unless that is more than 16 MB.
        """
        first = deadline()
        step = min(rows, _STEP_ROWS)
        cursor = self._collection.find(
            where,
            projection=projection,
            sort=list(sort) or None,
            limit=limit,
            batch_size=rows,
            allow_disk_use=False if sort else None,
            max_time_ms=first.left_ms,
        )
        try:
            # To the cursor's end, not to a batch that is short: a router sends empty ones while its
            # shards still look.
            while cursor.alive:
                if found := await self._query(deadline(), lambda: cursor.to_list(step)):
                    yield found
        finally:
            with _mapping(read_error):
                await cursor.close()

    async def aggregate(
        self, pipeline: Sequence[Doc], deadline: Deadline, *, hint: str | None = None
    ) -> list[Doc]:
        """All that a pipeline answers."""

        async def run() -> list[Doc]:
            options: dict[str, Any] = {} if hint is None else {"hint": hint}
            cursor = await self._collection.aggregate(
                list(pipeline), maxTimeMS=deadline.left_ms, allowDiskUse=False, **options
            )
            found: list[Doc] = []
            while cursor.alive:  # as above
                found += await cursor.to_list()
            return found

        return await self._query(deadline, run)

    async def _query(self, deadline: Deadline, run: Callable[[], Awaitable[T]]) -> T:
        async with self._queries:
            with _mapping(read_error):
                return await deadline.wait_for(run())

    async def rows(self) -> int:
        """How many documents there are, from the server's own notes."""
        return await self._admin(self._collection.estimated_document_count)

    async def command(self, command: Doc) -> Doc:
        """Run a database command."""
        return dict(await self._admin(lambda: self._collection.database.command(command)))

    async def _admin(self, run: Callable[[], Awaitable[T]]) -> T:
        with _mapping(read_error):
            async with asyncio.timeout(_ADMIN_TIMEOUT_S):
                return await run()

    # Writing

    async def insert(self, documents: Sequence[bytes]) -> int:
        """Write encoded documents, each on its own; answers how many were there already.

        Raises:
            RecordsRejected: the server will not have some of them.
            StoreUnavailable: they may or may not be written.
        """
        async with self._inserting:
            collection = self._collection
            with _mapping(write_error):
                async with asyncio.timeout(INSERT_TIMEOUT_S):
                    try:
                        await collection.insert_many(
                            [RawBSONDocument(each) for each in documents], ordered=False
                        )
                    except BulkWriteError as exc:
                        return _duplicates(exc)
        return 0

    async def delete(self, where: Doc) -> int:
        """Remove documents; answers how many."""
        with _mapping(write_error):
            return (await self._collection.delete_many(where)).deleted_count

    async def create_indexes(self, indexes: Sequence[Index]) -> list[str]:
        """Create those whose names are not there; answers those this server cannot have."""
        refused = []
        with _mapping(read_error):
            there = {each["name"] async for each in await self._collection.list_indexes()}
        for name, keys, options in indexes:
            if name in there:
                continue
            directions = [(key, ASCENDING if way > 0 else DESCENDING) for key, way in keys]
            model = IndexModel(directions, name=name, **options)
            if not await self.supported(partial(self._collection.create_indexes, [model])):
                refused.append(name)
        return refused

    async def supported(self, run: Callable[[], Awaitable[Any]]) -> bool:
        """Run it; false when the server says that it has no such thing."""
        try:
            with _mapping(read_error):
                await run()
        except StoreError as exc:
            cause = exc.__cause__
            if isinstance(cause, OperationFailure) and _is_not_implemented(cause):
                return False
            raise
        return True


def encoded(document: Doc) -> bytes:
    """The document as the server gets it.

    Raises:
        RecordsRejected: it cannot be written so.
    """
    try:
        whole = encode(document)
    except (BSONError, OverflowError) as exc:
        raise RecordsRejected(f"the store does not take these records: {exc}") from exc
    if len(whole) > MAX_DOCUMENT_BYTES:
        raise RecordsRejected(
            f"the store does not take these records: one is {len(whole):,} bytes, "
            f"and MongoDB takes {MAX_DOCUMENT_BYTES:,}"
        )
    return whole


def decoded(document: bytes) -> Doc:
    """What `encoded` made, or the server sent."""
    return decode(document)


def _duplicates(exc: BulkWriteError) -> int:
    details: Mapping[str, Any] = exc.details or {}
    errors = list(details.get("writeErrors", ()))
    others = [each for each in errors if each.get("code") != _DUPLICATE_KEY]
    if others:
        raise write_error(others[0].get("code"), str(others[0].get("errmsg", "")))
    concerns = details.get("writeConcernErrors") or ()
    for each in concerns:
        raise StoreUnavailable(f"the store did not confirm what it wrote: {each.get('errmsg')}")
    return len(errors)


def _is_not_implemented(exc: OperationFailure) -> bool:
    # FerretDB hands a key it cannot index to its own engine, which calls that an internal error.
    return exc.code in NOT_IMPLEMENTED_CODES or (exc.code == 1 and "bad JSON path" in str(exc))


def _disagrees(message: str) -> bool:
    """Whether the two ends do not agree on TLS, or on whom to believe. The driver tells what it
    has seen of all servers as one text."""
    return any(word in message for word in ("WRONG_VERSION_NUMBER", "CERTIFICATE_VERIFY_FAILED"))


@contextmanager
def _mapping(map_error: MapError) -> Iterator[None]:
    try:
        yield
    except LogStreamError:
        raise
    except (DocumentTooLarge, BSONError) as exc:
        raise RecordsRejected(f"the store does not take these records: {exc}") from exc
    except (AutoReconnect, ConnectionFailure, InvalidOperation, OSError, TimeoutError) as exc:
        raise StoreUnavailable(
            f"the store does not answer: {short(str(exc))}", lasting=_disagrees(str(exc))
        ) from exc
    except OperationFailure as exc:
        raise map_error(exc.code, str(exc)) from exc
    except PyMongoError as exc:
        raise map_error(None, str(exc)) from exc
