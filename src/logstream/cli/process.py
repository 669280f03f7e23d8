"""What every long-running process of the command line does alike."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

from logstream.cli import exits
from logstream.errors import SettingError
from logstream.settings import Settings

__all__ = [
    "LIFELINE",
    "SOCKET",
    "check_port",
    "free_port",
    "leave",
    "listen",
    "prepare",
    "run_until_stopped",
    "start_logging",
    "start_process",
]

LIFELINE = "_LOGSTREAM_LIFELINE_FD"
"""Environment variable with the number of a pipe that ends when the supervisor does."""
SOCKET = "_LOGSTREAM_INGEST_FD"
"""Environment variable with the number of the listening socket that ingestion processes share."""

_BACKLOG = 1_024
_THREAD_PATIENCE_S = 0.5
_METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus_client when it is imported


def prepare(settings: Settings) -> Path:
    """Make the data folder, private, and point the metrics at it. Returns its ``run`` folder.

    Must be called before `logstream.metrics` is imported.

    Raises:
        SettingError: the folder cannot be made or written.
    """
    run = settings.data_dir.absolute() / "run"
    metrics = run / "metrics"
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        metrics.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise SettingError(
            f"data_dir {settings.data_dir} cannot be used: {exc.strerror}",
            hint="give --data-dir a folder that this user may write",
        ) from exc
    if not os.access(run, os.W_OK | os.X_OK):
        raise SettingError(
            f"data_dir {settings.data_dir} belongs to somebody else",
            hint="give --data-dir a folder that this user may write",
        )
    os.environ[_METRICS_DIRECTORY] = str(metrics)
    _drop_stale(metrics)
    return run


def _drop_stale(metrics: Path) -> None:
    """Remove the numbers of processes that are no more, unless somebody still runs here."""
    files = {file: _pid_in(file) for file in metrics.glob("*.db")}
    if any(pid and _alive(pid) for pid in files.values()):
        return
    for file in files:
        file.unlink(missing_ok=True)


def _pid_in(file: Path) -> int:
    tail = file.stem.rpartition("_")[2]
    return int(tail) if tail.isdigit() else 0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def start_logging(settings: Settings) -> None:
    """Log to standard error at the level that is set."""
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        stream=sys.stderr,
    )


def start_process(settings: Settings) -> None:
    """What comes before a part of the platform is imported: data folder, metrics, logging.

    Raises:
        SettingError: as `prepare`.
    """
    prepare(settings)
    start_logging(settings)


def listen(name: str, host: str, port: int) -> socket.socket:
    """A listening socket that processes started later may inherit.

    A connection that waits in it survives the end of any of them.

    Args:
        name: ``ingest`` or ``dashboard``: the settings are ``NAME_host`` and ``NAME_port``.

    Raises:
        SettingError: the port is in use, not ours, or there is no such address.
    """
    sock = _bind(name, host, port)
    sock.listen(_BACKLOG)
    sock.setblocking(False)
    return sock


def check_port(name: str, host: str, port: int) -> None:
    """Find out early, and say clearly, when a port cannot be had. As `listen`."""
    _bind(name, host, port).close()


def _bind(name: str, host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
        except OSError:
            sock.close()
            raise
    except socket.gaierror as exc:
        raise SettingError(f"{name}_host {host!r} is no address of this machine") from exc
    except OSError as exc:
        raise SettingError(
            f"{name}_port {port} on {host} cannot be had: {exc.strerror}",
            hint=f"stop what uses it, or choose another with --{name}-port (0: any free one)",
        ) from exc
    return sock


def free_port(host: str) -> int:
    """A port of an address that nobody uses now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def run_until_stopped(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run on uvloop; SIGTERM, SIGINT and the end of a supervisor set the event that is passed.

    A second signal ends the process at once.
    """
    import uvloop

    uvloop.run(_with_signals(main))


def leave() -> None:
    """End at once if a thread still waits for a server that hears nothing: the interpreter would
    wait for it, and it for its connection to time out."""
    others = [each for each in threading.enumerate() if not each.daemon]
    for each in others:
        if each is not threading.main_thread():
            each.join(_THREAD_PATIENCE_S)
            if each.is_alive():
                logging.shutdown()
                os._exit(exits.OK)


async def _with_signals(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def ask() -> None:
        if stop.is_set():
            os._exit(128 + signal.SIGTERM)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    _watch_lifeline(lambda: loop.call_soon_threadsafe(stop.set))
    await main(stop)


def _watch_lifeline(ended: Callable[[], object]) -> None:
    number = os.environ.pop(LIFELINE, "")
    if not number:
        return

    def watch() -> None:
        # Nobody ever writes: the read returns when the last writer, the supervisor, is gone.
        while os.read(int(number), 1):
            pass
        try:
            ended()
        except RuntimeError:  # the loop was closed meanwhile: we are ending anyway
            return

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
