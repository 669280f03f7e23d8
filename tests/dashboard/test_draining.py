"""Before the dashboard's port closes, load balancers are told."""

from __future__ import annotations

import asyncio

import httpx

from logstream.dashboard.server import serve
from logstream.settings import Settings
from tests.dashboard.support import assert_error, make_services


async def test_ready_says_no_before_the_port_closes() -> None:
    """For ``drain_delay`` after the stop ``/ready`` is 503 and everything else is answered."""
    settings = Settings(dashboard_port=0, shutdown_timeout_s=0.5, drain_delay_s=30.0)
    async with make_services(settings=settings) as services:
        stop, listening = asyncio.Event(), asyncio.get_running_loop().create_future()
        served = asyncio.create_task(
            serve(services, stop, on_listening=lambda h, p: listening.set_result((h, p)))
        )
        host, port = await listening
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=10) as client:
            assert (await client.get("/ready")).status_code == 200
            stop.set()
            await services.draining.wait()
            assert_error(await client.get("/ready"), 503, "unavailable", "shutting down")
            assert (await client.get("/health")).status_code == 200
            assert not services.stopping.is_set()
        served.cancel()
        await asyncio.gather(served, return_exceptions=True)
        assert services.stopping.is_set()
