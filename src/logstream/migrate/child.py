"""A source read by a process of its own: chDB opens one folder a process, and a copy needs two.

The child answers one question, given as a line of JSON, on its standard output: frames of two
lengths, a position and a batch. It goes no faster than its parent reads, and ends with it.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from logstream.errors import LogStreamError, StoreError, StoreUnavailable
from logstream.migrate.source import Chunk, Source, StoreSource
from logstream.record import decode_batch, encode_batch
from logstream.store import open_store
from logstream.store.base import TimeRange

__all__ = ["ChildSource"]

_LENGTHS = struct.Struct(">II")
_UNAVAILABLE, _FAILED = 3, 4
_SAID_BYTES = 2_000


class _Question(msgspec.Struct, frozen=True):
    url: str
    between: TimeRange
    after: bytes


class ChildSource(Source):
    """A store's records, read by a child process."""

    def __init__(self, url: str, between: TimeRange) -> None:
        self._url = url
        self._between = between

    async def total(self, after: bytes) -> int | None:
        """Not known: to open the store once more takes longer than it is worth."""
        return None

    async def chunks(self, after: bytes) -> AsyncGenerator[Chunk]:
        async with self._asked(after) as process:
            stream = process.stdout
            assert stream is not None  # noqa: S101 - for the type checker
            while True:
                try:
                    lengths = await stream.readexactly(_LENGTHS.size)
                    position_size, batch_size = _LENGTHS.unpack(lengths)
                    position = await stream.readexactly(position_size)
                    batch = decode_batch(await stream.readexactly(batch_size))
                except asyncio.IncompleteReadError:
                    break  # it has ended; why is in its exit code
                yield Chunk(batch, position)

    @asynccontextmanager
    async def _asked(self, after: bytes) -> AsyncIterator[Process]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "logstream.migrate.child", stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        assert process.stderr is not None  # noqa: S101 - for the type checker
        # Read all along: a child that has more to say than a pipe holds would wait for ever.
        saying = asyncio.ensure_future(_last_of(process.stderr))
        question = _Question(self._url, self._between, after)
        assert process.stdin is not None  # noqa: S101 - for the type checker
        try:
            # Not as an argument: a URL may hold a password, and arguments are in process lists.
            process.stdin.write(msgspec.json.encode(question))
            process.stdin.close()
            yield process
            said = (await saying).decode(errors="replace").strip()
            code = await process.wait()
        finally:
            saying.cancel()
            if process.returncode is None:
                process.kill()
                await asyncio.gather(saying, return_exceptions=True)
                await process.communicate()  # to its end: `wait` alone waits for its output, too
        if code:
            kind = StoreUnavailable if code == _UNAVAILABLE else StoreError
            raise kind(f"the source cannot be read: {said or f'its reader ended with {code}'}")


async def _last_of(stream: asyncio.StreamReader) -> bytes:
    """The end of what is said there."""
    last = b""
    while said := await stream.read(_SAID_BYTES):
        last = (last + said)[-_SAID_BYTES:]
    return last


async def _answer(question: _Question) -> None:
    store = open_store(question.url)
    try:
        await store.start()
        source = StoreSource(store, question.between)
        out = sys.stdout.buffer
        async for chunk in source.chunks(question.after):
            assert chunk.batch is not None  # noqa: S101 - a store has nothing but records
            payload = encode_batch(chunk.batch)
            frame = _LENGTHS.pack(len(chunk.position), len(payload)) + chunk.position + payload
            await asyncio.to_thread(out.write, frame)
        out.flush()
    finally:
        await store.close()


def main() -> int:
    """Answer the question on standard input; the exit code."""
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=_Question)
    try:
        asyncio.run(_answer(question))
    except LogStreamError as error:
        sys.stderr.write(error.message)
        return _UNAVAILABLE if isinstance(error, StoreUnavailable) else _FAILED
    except BrokenPipeError:
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
