"""The power fails under load, as far as a test can make it: on a file system of its own in a file,
whose bytes at one moment are what a disk would have kept.

What was written and not synced is in the page cache of that file system and not in the file.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from logstream.testing.broker_contract import message, read_all
from tests.broker.support import MB, make_broker
from tests.broker.test_disk_damage import drain

_WRITER = """
    import asyncio, os, sys
    from pathlib import Path
    from logstream.testing.broker_contract import message
    from tests.broker.support import make_broker

    async def send(producer, first):
        for number in range(first, first + 1_000_000, 20):
            await producer.append(message(number, size=1_000))
            os.write(1, b"%d\\n" % number)

    async def main():
        broker = make_broker(Path(sys.argv[1]), segment_bytes=200_000)
        producer = await broker.producer()
        await asyncio.gather(*(send(producer, n) for n in range(20)))

    asyncio.run(main())
"""


@contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    """The file system in a file, mounted."""
    place.mkdir()
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True, capture_output=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An empty ext4 of 64 MB in a file, where we may mount one."""
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("mounting needs root and mkfs.ext4")
    subprocess.run(["mkfs.ext4", "-q", str(path)], check=True)
    try:
        with mounted(path, tmp_path / "try"):
            return path
    except subprocess.CalledProcessError as exc:
        pytest.skip(f"no loop devices here: {exc.stderr.decode().strip()}")


async def test_a_power_cut_takes_nothing_that_was_acknowledged(image: Path, tmp_path: Path) -> None:
    """At any moment of a load: each entry acknowledged before it is on the disk as it was then, is
    read once and in order, and writing goes on with numbers that were never used."""
    acknowledged: list[int] = []
    with ExitStack() as cleanup:
        disk = cleanup.enter_context(mounted(image, tmp_path / "disk"))
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", textwrap.dedent(_WRITER), disk / "broker",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert writer.stdout is not None
        cuts: list[tuple[Path, int]] = []
        for lines in (50, 300, 700):
            acknowledged += [int(await writer.stdout.readline()) for _ in range(lines)]
            # Nobody may write while the bytes are copied, or they would be those of no one moment.
            writer.send_signal(signal.SIGSTOP)
            cuts.append((tmp_path / f"cut {len(cuts)}.img", len(acknowledged)))
            await asyncio.to_thread(shutil.copyfile, image, cuts[-1][0])
            writer.send_signal(signal.SIGCONT)
        writer.kill()
        await writer.stdout.read()
        await writer.wait()
    for copy, before in cuts:
        with mounted(copy, copy.with_suffix("")) as disk:
            await check(disk / "broker", acknowledged[:before])
        copy.unlink()


async def check(folder: Path, acknowledged: list[int]) -> None:
    """Nothing of these is lost or there twice, and the broker can be used."""
    entries, status = await drain(folder)
    numbers = [int(entry.message.payload.split(b".")[0]) for entry in entries]
    assert not set(acknowledged) - set(numbers)
    assert len(numbers) == len(set(numbers))
    for sender in range(20):
        own = [number for number in numbers if number % 20 == sender]
        assert own == sorted(own)
    assert status.quarantined == 0
    places = {entry.position.sequence for entry in entries}
    async with make_broker(folder) as broker, await broker.producer() as producer:
        place = await producer.append(message(7, size=MB // 100))
        assert place.sequence > max(places)
        async with await broker.consumer() as consumer:
            (entry,) = await read_all(consumer, 1)
    assert entry.position == place
