"""The disk refuses, fills up, or a process is killed: nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from logstream.broker.disk.room import reserve_bytes
from logstream.errors import BrokerUnavailable
from logstream.testing.broker_contract import message, read_all
from tests.broker.support import (
    MB,
    RefusingDisk,
    crash_producer,
    leave_unsynced,
    make_broker,
    segments,
)


async def start_python(source: str, *arguments: object) -> asyncio.subprocess.Process:
    """A process of its own that runs the source."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(source),
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
    )


async def run_python(source: str, *arguments: object) -> str:
    """What the source prints."""
    process = await start_python(source, *arguments)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


@pytest.mark.parametrize("call", ["create", "write", "sync", "sync_folder"])
@pytest.mark.parametrize("before", [0, 1])
async def test_what_the_disk_refused_is_not_acknowledged(
    folder: Path, call: str, before: int
) -> None:
    """An error in any call fails the appends that waited; the next ones go to a new segment."""
    disk = RefusingDisk()
    # Of tiny size, so that each append makes a segment and the folder is synced each time.
    async with (
        make_broker(folder, segment_bytes=1, disk=disk) as broker,
        await broker.producer() as producer,
    ):
        for n in range(before):
            await producer.append(message(n))
        disk.refuses = call
        results = await asyncio.gather(
            *(producer.append(message(n)) for n in (10, 11)), return_exceptions=True
        )
        assert all(isinstance(each, BrokerUnavailable) for each in results)
        with pytest.raises(BrokerUnavailable):
            producer.check_room()
        disk.refuses = ""
        assert (await producer.append(message(20))).sequence == before
        producer.check_room()
        async with await broker.consumer() as consumer:
            entries = await read_all(consumer, before + 1)
        status = await broker.status()
    assert [e.message for e in entries] == [*map(message, range(before)), message(20)]
    assert status.quarantined == 0


async def test_a_failed_sync_is_never_repeated(folder: Path) -> None:
    """After fsync failed once no call is made on that file; it ends where it was last safe."""
    disk = RefusingDisk()
    async with make_broker(folder, disk=disk) as broker, await broker.producer() as producer:
        await producer.append(message(1))
        (first,) = segments(folder)
        size = first.stat().st_size
        disk.refuses = "sync"
        with pytest.raises(BrokerUnavailable, match="Input/output error"):
            await producer.append(message(2))
        disk.refuses = ""
        await producer.append(message(3))
        assert disk.synced_after_failure == []
        assert first.stat().st_size == size
        assert len(segments(folder)) == 2


async def test_a_disk_nearly_full_is_left_a_reserve(folder: Path) -> None:
    """Below the reserve producers are refused, with a hint; the consumer goes on."""
    disk = RefusingDisk()
    async with make_broker(folder, disk=disk) as broker, await broker.producer() as producer:
        await producer.append(message(1))
        disk.free = MB
        await producer._refresh()
        with pytest.raises(BrokerUnavailable, match="nearly full") as refusal:
            await producer.append(message(2))
        assert "free space" in refusal.value.hint
        with pytest.raises(BrokerUnavailable):
            producer.check_room()
        assert any("nearly full" in text for text in (await broker.status()).warnings)
        async with await broker.consumer() as consumer:
            await consumer.ack(await consumer.fix(await read_all(consumer, 1)))
        disk.free = None
        await producer.append(message(3))


async def test_an_append_that_waits_for_a_look_is_not_overtaken(folder: Path) -> None:
    """A large append is too much as of the last look; a small one behind it is not. When there is
    room after all both are kept, in the order in which they were called."""
    disk = RefusingDisk()
    total = disk.free_bytes(folder)[1]
    disk.free = reserve_bytes(total) + 2_000
    async with make_broker(folder, disk=disk) as broker, await broker.producer() as producer:
        disk.free = None
        places = await asyncio.gather(
            producer.append(message(0, size=10_000)), *(producer.append(message(n)) for n in (1, 2))
        )
        assert [place.sequence for place in places] == [0, 1, 2]
        async with await broker.consumer() as consumer:
            entries = await read_all(consumer, 3)
    assert [entry.message for entry in entries] == [message(0, size=10_000), message(1), message(2)]


async def test_no_space_names_the_cure(folder: Path) -> None:
    """ENOSPC and a read-only disk each come with a hint of their own."""
    disk = RefusingDisk()
    async with make_broker(folder, disk=disk) as broker, await broker.producer() as producer:
        disk.refuses = "write"
        for error, hint in ((errno.ENOSPC, "free space"), (errno.EROFS, "read-only")):
            disk.error = error
            with pytest.raises(BrokerUnavailable) as refusal:
                await producer.append(message(1))
            assert hint in refusal.value.hint


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 2 MB, where we may mount one."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting needs root")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def fill_up(ballast: Path) -> None:
    """Write until the disk takes no more."""
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass


async def test_a_full_disk_for_real(small_disk: Path) -> None:
    """On a disk that fills up: refused, not acknowledged; on again when space returns."""
    disk = RefusingDisk()
    disk.free = 100 * MB  # as if the reserve did not exist
    ballast = small_disk / "ballast"
    async with make_broker(small_disk / "b", segment_bytes=MB, disk=disk) as broker:
        producer = await broker.producer()
        await producer.append(message(0))
        fill_up(ballast)
        kept = [0]
        refused = None
        for n in range(1, 100):
            try:
                await producer.append(message(n, size=3000))
                kept.append(n)
            except BrokerUnavailable as exc:
                refused = exc
        assert refused is not None
        assert "No space" in refused.message
        assert "free space" in refused.hint
        ballast.unlink()
        await producer.append(message(1000))
        await producer.close()
        async with await broker.consumer() as consumer:
            entries = await read_all(consumer, len(kept) + 1)
        status = await broker.status()
    numbers = [int(e.message.payload.split(b".")[0]) for e in entries]
    assert numbers == [*kept, 1000]
    assert status.quarantined == 0


async def test_a_write_cut_short_for_real(tmp_path: Path) -> None:
    """A write that the system ends half-way (a file size limit) is not acknowledged."""
    source = """
        import asyncio, resource, sys
        from pathlib import Path
        from logstream.errors import BrokerUnavailable
        from logstream.testing.broker_contract import message
        from tests.broker.support import make_broker

        async def main():
            broker = make_broker(Path(sys.argv[1]))
            async with broker, await broker.producer() as producer:
                await producer.append(message(0))
                limits = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
                try:
                    await producer.append(message(1, size=9000))
                except BrokerUnavailable as exc:
                    print(exc.message)
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
                await producer.append(message(2))

        asyncio.run(main())
    """
    assert "File too large" in await run_python(source, tmp_path)
    async with make_broker(tmp_path) as broker, await broker.consumer() as consumer:
        entries = await read_all(consumer, 2)
        assert (await broker.status()).quarantined == 0
    assert [e.message for e in entries] == [message(0), message(2)]


_WRITER = """
    import asyncio, os, sys
    from pathlib import Path
    from logstream.testing.broker_contract import message
    from tests.broker.support import make_broker

    async def send(producer, first):
        for number in range(first, first + 1_000_000, 20):
            await producer.append(message(number))
            os.write(1, b"%d\\n" % number)

    async def main():
        broker = make_broker(Path(sys.argv[1]), segment_bytes=20_000)
        producer = await broker.producer()
        first = int(sys.argv[2])
        await asyncio.gather(*(send(producer, first + n) for n in range(20)))

    asyncio.run(main())
"""


@pytest.mark.parametrize("reading", [False, True])
async def test_killed_writers_lose_nothing_acknowledged(tmp_path: Path, reading: bool) -> None:
    """kill -9 under load, five times: each ledger line is read once, in its writer's order."""
    ledger: list[int] = []
    numbers: list[int] = []
    async with make_broker(tmp_path) as broker:
        consumer = await broker.consumer()
        for cycle in range(5):
            process = await start_python(_WRITER, tmp_path, cycle * 1_000_000)
            assert process.stdout is not None
            lines = [await process.stdout.readline() for _ in range(100 + 17 * cycle)]
            ledger += map(int, lines)
            if reading:
                entries = await consumer.read(max_bytes=MB, wait_s=1)
                numbers += [int(e.message.payload.split(b".")[0]) for e in entries]
                await consumer.ack(await consumer.fix(entries))
            process.send_signal(signal.SIGKILL)
            rest = await process.stdout.read()
            ledger += [int(line) for line in rest.split(b"\n")[:-1]]
            await process.wait()
        await (await broker.producer()).close()
        while entries := await consumer.read(max_bytes=MB, wait_s=0):
            numbers += [int(e.message.payload.split(b".")[0]) for e in entries]
        await consumer.close()
        assert (await broker.status()).quarantined == 0
        assert [path.name for path in (tmp_path / "writers").iterdir()] == ["0000"]
    assert len(numbers) == len(set(numbers))
    assert set(ledger) <= set(numbers)


async def test_each_producer_has_a_folder_of_its_own(folder: Path) -> None:
    """Two producers, two folders; a folder is taken again once its holder is gone or dead."""
    async with make_broker(folder) as broker:
        first = await broker.producer()
        second = await broker.producer()
        places = [await each.append(message(n)) for n, each in enumerate((first, second))]
        assert [place.writer for place in places] == ["0000", "0001"]
        crash_producer(first)
        third = await broker.producer()
        place = await third.append(message(2))
        assert (place.writer, place.sequence) == ("0000", 1)
        await second.close()
        await third.close()


async def test_a_second_consumer_learns_who_is_first(tmp_path: Path) -> None:
    """Another process that would be the consumer is refused; the message names ours."""
    source = """
        import asyncio, sys
        from pathlib import Path
        from logstream.errors import BrokerUnavailable
        from tests.broker.support import make_broker

        async def main():
            async with make_broker(Path(sys.argv[1])) as broker:
                try:
                    await broker.consumer()
                except BrokerUnavailable as exc:
                    print(exc.message)

        asyncio.run(main())
    """
    async with make_broker(tmp_path) as broker, await broker.consumer():
        said = await run_python(source, tmp_path)
    assert f"process {os.getpid()} is the consumer" in said


async def test_consumed_segments_are_deleted(folder: Path) -> None:
    """Acknowledged segments go, but for the newest; a follower that was away is told."""
    async with make_broker(folder, segment_bytes=200) as broker:
        producer, consumer = await broker.producer(), await broker.consumer()
        follower = await broker.follower()
        for n in range(10):
            await producer.append(message(n))
        assert len(segments(folder)) > 3
        await consumer.ack(await consumer.fix(await read_all(consumer, 10)))
        assert len(segments(folder)) == 1
        seen = await follower.read(max_bytes=MB, wait_s=0)
        assert len(seen) + follower.missed == 10
        assert follower.missed > 0
        for end in (producer, consumer, follower):
            await end.close()


async def test_other_processes_wait_for_the_store(folder: Path) -> None:
    """wait_stored() sees the acknowledgement of a consumer opened on another broker object."""
    async with make_broker(folder) as ours, await ours.producer() as producer:
        place = await producer.append(message(1))
        waiting = asyncio.create_task(producer.wait_stored(place, timeout_s=5))
        async with make_broker(folder) as theirs, await theirs.consumer() as consumer:
            await consumer.ack(await consumer.fix(await read_all(consumer, 1)))
        assert await waiting


async def test_entries_not_yet_synced_are_not_read(folder: Path) -> None:
    """What stands in the file beyond the published mark is invisible until it is recovered."""
    async with make_broker(folder) as broker, await broker.consumer() as consumer:
        producer = await broker.producer()
        await producer.append(message(1))
        leave_unsynced(producer, [message(2)], 1.0)
        assert [e.message for e in await read_all(consumer, 1)] == [message(1)]
        assert await consumer.read(max_bytes=MB, wait_s=0) == []
        crash_producer(producer)
        async with await broker.producer():
            assert [e.message for e in await read_all(consumer, 1)] == [message(2)]
