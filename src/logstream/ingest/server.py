"""One ingestion process: its socket, its server, and how it stops."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from contextlib import AsyncExitStack
from functools import partial

from logstream.access import check_exposure
from logstream.broker import open_broker_of
from logstream.broker.base import Broker, Producer
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.errors import SettingError
from logstream.ingest.app import IngestApp
from logstream.ingest.late import LateProducer
from logstream.ingest.listener import Listener
from logstream.ingest.request import Pending
from logstream.ingest.surroundings import Bounds
from logstream.ingest.tally import Tally
from logstream.patience import at_first, until_there
from logstream.settings import Settings

__all__ = ["BACKLOG", "open_socket", "serve"]

_log = logging.getLogger(__name__)

BACKLOG = 1_024


def open_socket(settings: Settings) -> socket.socket:
    """A listening socket for the ingestion API, which several processes may share.

    Share it by handing it down (it is inheritable); whichever process is free takes the next
    connection, and a connection that waits in it survives the end of any of them.

    Raises:
        SettingError: listening there is refused, or not possible.
    """
    host, port = settings.ingest_host, settings.ingest_port
    check_exposure(settings, host=host, setting="ingest_host")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen(BACKLOG)
        except OSError:
            sock.close()
            raise
    except OSError as exc:
        raise SettingError(
            f"cannot listen on {host}:{port} for the ingestion API: {exc.strerror or exc}",
            hint="is another LogStream running? give --ingest-port",
        ) from exc
    sock.setblocking(False)
    sock.set_inheritable(True)
    return sock


async def serve(
    settings: Settings,
    *,
    stop: asyncio.Event,
    sock: socket.socket | None = None,
    broker: Broker | None = None,
    ready: asyncio.Event | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> None:
    """Serve the ingestion API until ``stop`` is set, then finish what was begun.

    Args:
        settings: Everything.
        stop: Set it to stop: ``/ready`` says no; ``drain_delay_s`` later no connection is taken
            any more, requests in work are answered (for at most ``shutdown_timeout_s``), the
            broker's end is closed.
        sock: A listening socket from `open_socket`; ``None`` opens one.
        broker: Its broker; ``None`` opens the one that the settings name.
        ready: Set once connections are taken.
        clock: Time.

    Raises:
        SettingError: listening there is refused, or not possible.
        BrokerUnavailable: the broker's folder cannot be written. A server that is away is waited
            for; until it is there requests are refused with the reason.
    """
    sock = sock or open_socket(settings)
    sock.setblocking(False)  # one handed down need not be
    own_broker = broker is None
    broker = broker or open_broker_of(settings, clock=clock)
    tally = Tally()
    bounds = Bounds(
        max_body_bytes=settings.max_body_bytes,
        timeout_s=settings.request_timeout_s,
        pending=Pending(settings.max_pending_bytes),
    )
    try:
        late = LateProducer()
        opening = asyncio.create_task(
            until_there("broker", settings.broker_url, broker.producer, failed=late.away)
        )
        async with AsyncExitStack() as stack:
            stack.push_async_callback(_given_up, opening)
            there = await at_first(opening, settings.broker_url, stop=stop)
            producer = await stack.enter_async_context(opening.result() if there else late)
            if not there:
                opening.add_done_callback(partial(_come, late))
            app = IngestApp(
                settings, broker, producer, pending=bounds.pending, tally=tally, clock=clock
            )
            listener = Listener(app, bounds, tally, clock=clock, backlog=BACKLOG)
            await listener.start(sock)
            # What exists now lives as long as the process: the collector need not look again.
            gc.freeze()
            host, port = sock.getsockname()[:2]
            _log.info("ingestion API listens on http://%s:%d", host, port)
            if ready is not None:
                ready.set()
            await _until(stop, opening)
            app.draining = True
            await asyncio.sleep(settings.drain_delay_s)
            if cut := await listener.stop(settings.shutdown_timeout_s):
                limit_s = settings.shutdown_timeout_s
                _log.warning("%d connections were cut that did not end in %g s", cut, limit_s)
            await app.close()
    finally:
        sock.close()
        if own_broker:
            await broker.close()


def _come(late: LateProducer, opening: asyncio.Task[Producer]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        late.come(opening.result())


async def _until(stop: asyncio.Event, opening: asyncio.Task[Producer]) -> None:
    """Until told to stop, or nothing could ever be taken.

    Raises:
        SettingError: the broker will never be there.
    """
    stopped = asyncio.ensure_future(stop.wait())
    try:
        if not opening.done():
            await asyncio.wait((opening, stopped), return_when=asyncio.FIRST_COMPLETED)
        if opening.done():
            opening.result()
        await stopped
    finally:
        stopped.cancel()


async def _given_up(opening: asyncio.Task[Producer]) -> None:
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
