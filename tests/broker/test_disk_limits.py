"""Where the disk broker's numbers end, sectors that cannot be read, and recovery that is killed."""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import logging
import os
import random
import shutil
import signal
import sqlite3
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from logstream.broker.base import Message
from logstream.broker.disk import reader
from logstream.errors import BrokerUnavailable
from logstream.testing.broker_contract import message, read_all
from logstream.testing.clock import FakeClock
from tests.broker.support import MB, frame_ends, make_broker, segments
from tests.broker.test_disk_damage import drain, fill, power_cut

LAST_NUMBER = (1 << 42) - 1


def clock_at(year: int) -> FakeClock:
    """A clock at the start of a year."""
    return FakeClock(int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp()) * 10**9)


async def group_numbers(folder: Path, clock: FakeClock, groups: int = 2) -> list[int]:
    """Numbers of groups that a consumer opened with this clock fixes."""
    numbers = []
    async with (
        make_broker(folder, clock=clock) as broker,
        await broker.producer() as producer,
        await broker.consumer() as consumer,
    ):
        for n in range(groups):
            await producer.append(message(n))
            group = await consumer.fix(await read_all(consumer, 1))
            numbers.append(group.number)
            await consumer.ack(group)
    return numbers


async def test_group_numbers_grow_whatever_the_clock_does(folder: Path) -> None:
    """Years ahead, beyond the end of numbers, and back again: the next is always one more."""
    numbers = []
    for year in (2026, 2100, 2200, 1971):
        numbers += await group_numbers(folder, clock_at(year))
    assert numbers == list(range(numbers[0], numbers[0] + 8))
    assert numbers[0] < 1 << 41


async def test_a_clock_beyond_the_end_of_numbers_is_an_error(folder: Path) -> None:
    """A new broker refuses such a clock rather than begin again at the bottom; with the clock set
    right it works, in the same folder."""
    with pytest.raises(BrokerUnavailable, match="May 2109") as refusal:
        await group_numbers(folder, clock_at(2110))
    assert "clock" in refusal.value.hint
    last_year = await group_numbers(folder / "2109", clock_at(2109))
    assert max(last_year) < LAST_NUMBER
    assert await group_numbers(folder, clock_at(2026))


async def test_numbers_that_are_used_up_are_an_error(folder: Path) -> None:
    """After the last number nothing is fixed and nothing lost."""
    await group_numbers(folder, clock_at(2026))
    with closing(sqlite3.connect(folder / "consumer.sqlite")) as state:
        state.execute("UPDATE meta SET value = ? WHERE key = 'next_group'", (LAST_NUMBER,))
        state.commit()
    assert await group_numbers(folder, clock_at(2026), groups=1) == [LAST_NUMBER]
    for _ in range(2):
        with pytest.raises(BrokerUnavailable, match="used up"):
            await group_numbers(folder, clock_at(2026), groups=1)


class BadSectors:
    """Makes reads of stretches of one file fail as a disk with bad sectors does."""

    def __init__(self, path: Path, *stretches: range, times: int = 1 << 30) -> None:
        self.inode = path.stat().st_ino
        self.stretches = stretches
        self.times = times
        self._pread = os.pread

    def __call__(self, descriptor: int, size: int, start: int) -> bytes:
        hit = any(start < bad.stop and bad.start < start + size for bad in self.stretches)
        if hit and self.times > 0 and os.fstat(descriptor).st_ino == self.inode:
            self.times -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self._pread(descriptor, size, start)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause before a sector is read again."""
    monkeypatch.setattr(reader, "_READ_AGAIN_AFTER_S", (0.0, 0.0))


@pytest.mark.usefixtures("impatient")
async def test_an_unreadable_sector_is_set_aside(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The entries on it are quarantined and named in the log; all others are read."""
    sent = [message(n, size=3_000) for n in range(20)]
    await fill(folder, sent)
    (segment,) = segments(folder)
    ends = frame_ends(segment)
    bad = range(8 * 4096, 8 * 4096 + 512)
    monkeypatch.setattr(os, "pread", BadSectors(segment, bad))
    with caplog.at_level(logging.WARNING, "logstream.broker.disk"):
        entries, status = await drain(folder)
    lost = {n for n in range(20) if ends[n] < bad.start + 4096 and bad.start < ends[n + 1]}
    assert 1 <= len(lost) <= 3
    assert [e.message for e in entries] == [m for n, m in enumerate(sent) if n not in lost]
    assert status.quarantined == 1
    assert f"{segment} cannot be read from byte {bad.start}" in caplog.text
    assert f"{segment} is damaged from byte" in caplog.text
    assert caplog.text.count("cannot be read") == 1


@pytest.mark.usefixtures("impatient")
async def test_a_sector_that_can_be_read_again_costs_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that passes leaves no trace."""
    sent = [message(n, size=3_000) for n in range(20)]
    await fill(folder, sent)
    monkeypatch.setattr(os, "pread", BadSectors(segments(folder)[0], range(1, 9_000), times=3))
    entries, status = await drain(folder)
    assert [e.message for e in entries] == sent
    assert status.quarantined == 0


@pytest.mark.usefixtures("impatient")
async def test_a_disk_that_reads_nothing_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where hardly a sector can be read nothing is set aside: the disk may come back."""
    sent = [message(n, size=300_000) for n in range(60)]
    await fill(folder, sent, segment_bytes=100 * MB)
    (segment,) = segments(folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", BadSectors(segment, range(4096, 1 << 40)))
        async with make_broker(folder) as broker, await broker.consumer() as consumer:
            with pytest.raises(BrokerUnavailable, match="Input/output"):
                await consumer.read(max_bytes=100 * MB, wait_s=0)
    entries, status = await drain(folder)
    assert [e.message for e in entries] == sent
    assert status.quarantined == 0


_OPENER = """
    import asyncio, sys
    from pathlib import Path
    from tests.broker.support import make_broker

    async def main():
        async with make_broker(Path(sys.argv[1]), segment_bytes=400_000) as broker:
            print("recovering", flush=True)
            async with await broker.producer(), await broker.consumer() as consumer:
                print("recovered", flush=True)
                await asyncio.sleep(60)

    asyncio.run(main())
"""


async def killed_in_recovery(folder: Path, after_s: float) -> bool:
    """Recover in a process that is killed after a while; whether it was still at it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(_OPENER), folder, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"recovering\n"
    await asyncio.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    rest = await process.stdout.read()
    await process.wait()
    return b"recovered" not in rest


async def test_recovery_killed_at_any_point_is_done_again(folder: Path) -> None:
    """kill -9 at random points of recovery, again and again: then nothing is lost or doubled, and
    what the torn tail held of whole entries stays."""
    sent: list[Message] = [message(n, size=20_000) for n in range(150)]
    await fill(folder / "whole", sent, segment_bytes=400_000)
    dice = random.Random(2026)
    interrupted = 0
    for round_ in range(3):
        copy = folder / f"copy {round_}"
        shutil.copytree(folder / "whole", copy)
        power_cut(copy)
        last = segments(copy)[-1]
        with last.open("ab") as file:
            file.write(os.urandom(5_000))
        for _ in range(3):
            interrupted += await killed_in_recovery(copy, dice.uniform(0.0, 0.02))
        entries, status = await drain(copy)
        assert [e.message for e in entries] == sent
        assert status.quarantined == 0
        shutil.rmtree(copy)
    assert interrupted
