"""The connection: the one place where the driver is called."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from redis import exceptions as errors
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from logstream.broker.redis.script import Script
from logstream.broker.redis.trouble import DRIVER_ERRORS, NoGroup, Unknown, understood
from logstream.broker.redis.url import Target
from logstream.errors import SettingError

__all__ = ["Link", "NoGroup", "Unknown"]

_MAX_CONNECTIONS = 32
_HEALTH_CHECK_S = 15

Argument = bytes | str | int | float
_T = TypeVar("_T")


class Link:
    """Calls scripts and commands, on one server or on a cluster; safe to share.

    Nothing that changes something is tried twice here: only the caller knows what may be.

    Args:
        target: Where.
        timeout_s: How long one call may take.
        wait_replicas: Replicas that must have what `write` wrote.
    """

    def __init__(self, target: Target, *, timeout_s: float, wait_replicas: int = 0) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self._wait_replicas = wait_replicas
        self._client: Redis | RedisCluster | None = None
        self._opened = asyncio.Lock()

    @property
    def where(self) -> str:
        return self._target.shown

    async def call(
        self, script: Script, keys: Sequence[str], arguments: Sequence[Argument] = ()
    ) -> Any:
        """Run a script; its answer as Redis gave it.

        Raises:
            Unknown: nobody answered.
            NoGroup: the consumer group does not exist.
            BrokerFull: Redis is out of memory; nothing was done.
            BrokerUnavailable: Redis refused; nothing was done.
        """

        async def once(client: Any) -> Any:
            try:
                return await client.execute_command(
                    "EVALSHA", script.sha, len(keys), *keys, *arguments
                )
            except errors.NoScriptError:
                return await client.execute_command(
                    "EVAL", script.source, len(keys), *keys, *arguments
                )

        return await self._tried(once, again=script.reads_only)

    async def write(
        self, script: Script, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> Any:
        """`call`, and wait for the replicas.

        Raises:
            Unknown: also when too few replicas have it in time.
        """
        if not self._wait_replicas:
            return await self.call(script, keys, arguments)
        try:
            answer, replicas = await _cancellable(self._written(script, keys, arguments))
        except DRIVER_ERRORS as exc:
            await self._look_again(exc)
            raise understood(self.where, exc) from exc
        if replicas < self._wait_replicas:
            raise Unknown(
                f"{replicas} replicas of {self.where} have it, not {self._wait_replicas}",
                hint="see to the replicas, or lower redis_wait_replicas",
            )
        return answer

    async def command(self, *arguments: Argument) -> Any:
        """A command on one key that may be carried out twice. Raises as `call`."""

        async def once(client: Any) -> Any:
            return await client.execute_command(*arguments)

        return await self._tried(once, again=True)

    async def on_masters(self, *arguments: Argument) -> list[Any]:
        """A command that has no key and changes nothing, on every master. Raises as `call`."""

        async def once(client: Any) -> Any:
            if not isinstance(client, RedisCluster):
                return [await client.execute_command(*arguments)]
            nodes: list[Any] = client.get_primaries()
            return await asyncio.gather(*(node.execute_command(*arguments) for node in nodes))

        answers: list[Any] = await self._tried(once, again=True)
        return answers

    async def _tried(self, once: Callable[[Any], Awaitable[Any]], *, again: bool) -> Any:
        """
        Args:
            again: Whether to try a second time: a connection may be one from before a restart.
        """
        while True:
            try:
                client: Any = await _cancellable(self._connected())  # the driver has no types
                return await _cancellable(once(client))
            except DRIVER_ERRORS as exc:
                await self._look_again(exc)
                error = understood(self.where, exc)
                if not (again and isinstance(error, Unknown)):
                    raise error from exc
                again = False

    async def _look_again(self, exc: BaseException) -> None:
        """After a failover the same name may lead to another server, but not an old connection."""
        if isinstance(exc, errors.ReadOnlyError) and isinstance(self._client, Redis):
            await self._client.connection_pool.disconnect(inuse_connections=False)

    async def masters(self) -> int:
        """How many nodes keep data."""
        client = await self._connected_or_unavailable()
        return len(client.get_primaries()) if isinstance(client, RedisCluster) else 1

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _connected_or_unavailable(self) -> Redis | RedisCluster:
        try:
            return await _cancellable(self._connected())
        except DRIVER_ERRORS as exc:
            raise understood(self.where, exc) from exc

    async def _connected(self) -> Redis | RedisCluster:
        if self._client is None:
            async with self._opened:
                if self._client is None:
                    self._client = await self._connect()
        return self._client

    async def _connect(self) -> Redis | RedisCluster:
        try:
            options: dict[str, Any] = {
                **parse_url(self._target.url),
                "retry": Retry(NoBackoff(), 0),
                "socket_timeout": self._timeout_s,
                "socket_connect_timeout": self._timeout_s,
                "health_check_interval": _HEALTH_CHECK_S,
                "client_name": f"logstream-{socket.gethostname()}".replace(" ", "-"),
                "decode_responses": False,
            }
        except ValueError as exc:
            raise SettingError(f"the broker {self.where!r} cannot be understood: {exc}") from exc
        if not self._target.cluster:
            pool = BlockingConnectionPool(
                max_connections=_MAX_CONNECTIONS, timeout=self._timeout_s, **options
            )
            return Redis.from_pool(pool)
        for key in ("host", "port", "db"):
            options.pop(key, None)
        if options.pop("connection_class", None) is not None:
            options["ssl"] = True
        cluster = RedisCluster(
            startup_nodes=[ClusterNode(host, port) for host, port in self._target.hosts],
            max_connections=_MAX_CONNECTIONS,
            **options,
        )
        try:
            await cluster.initialize()
        except BaseException:
            await cluster.aclose()
            raise
        return cluster

    async def _written(
        self, script: Script, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> tuple[Any, int]:
        """The script and WAIT on one connection: WAIT is about what that connection wrote."""
        client = await self._connected()
        if isinstance(client, RedisCluster):
            # Whatever else may be redirected was by then, and the node is the right one.
            await client.execute_command("EXISTS", keys[0])
            node = client.get_node_from_key(keys[0])
            if node is None:
                raise errors.ClusterDownError("no node has the key")
            connection = node.acquire_connection()
            try:
                return await self._both(connection, script, keys, arguments)
            finally:
                node.release(connection)
        pool: Any = client.connection_pool  # its calls have no types
        connection = await pool.get_connection()
        try:
            return await self._both(connection, script, keys, arguments)
        finally:
            await pool.release(connection)

    async def _both(
        self, connection: Any, script: Script, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> tuple[Any, int]:
        try:
            answer = await self._exchange(
                connection, "EVALSHA", script.sha, len(keys), *keys, *arguments
            )
        except errors.NoScriptError:
            answer = await self._exchange(
                connection, "EVAL", script.source, len(keys), *keys, *arguments
            )
        wait_ms = int(self._timeout_s * 500)
        return answer, await self._exchange(connection, "WAIT", self._wait_replicas, wait_ms)

    @staticmethod
    async def _exchange(connection: Any, *arguments: Argument) -> Any:
        await connection.send_command(*arguments)
        return await connection.read_response()


async def _cancellable(call: Awaitable[_T]) -> _T:
    """What the driver answers, unless the task was cancelled meanwhile.

    The driver sends with ``asyncio.wait_for``, which before Python 3.12 drops a cancellation that
    comes when the sending has just ended: the task would go on, and whoever waits for its end
    would wait for ever.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - for the type checker
    before = task.cancelling()
    try:
        answer = await call
    except Exception as exc:
        if task.cancelling() > before:
            raise asyncio.CancelledError from exc
        raise
    if task.cancelling() > before:
        raise asyncio.CancelledError
    return answer
