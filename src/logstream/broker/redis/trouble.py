"""The driver's errors, understood: what was done, and what a person can do."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from redis import exceptions as errors

from logstream.errors import BrokerFull, BrokerUnavailable, LogStreamError

__all__ = ["DRIVER_ERRORS", "NoGroup", "Unknown", "understood"]


class Unknown(BrokerUnavailable):
    """Nobody answered: Redis may have done what was asked, or may do it yet."""


class NoGroup(BrokerUnavailable):
    """The consumer group of a shard is gone."""


def understood(where: str, exc: BaseException) -> LogStreamError:
    """What an error of the driver means; ``where`` is how the server is called to people."""
    for kind, understand in _KINDS:
        if isinstance(exc, kind):
            return understand(where, exc)
    code = str(exc).split(" ", 1)[0]
    if code == "NOGROUP":
        return NoGroup(f"a consumer group of {where} is gone")
    if code in _REFUSALS:
        lasting = code in _LOGIN
        return BrokerUnavailable(f"{where} refuses: {exc}", hint=_REFUSALS[code], lasting=lasting)
    return LogStreamError(f"{where} does not understand: {exc}", hint=_VERSION)


_VERSION = "Redis 7.0 or newer is needed, with scripts, streams and sorted sets allowed"
_LOGIN = ("NOAUTH", "WRONGPASS")
_REFUSALS: Mapping[str, str] = {
    "MISCONF": "Redis cannot write its disk: see its log",
    "NOREPLICAS": "too few replicas of this Redis are up (min-replicas-to-write)",
    "BUSY": "a script has been running for long in this Redis",
    "MASTERDOWN": "this is a replica without its master",
    "NOAUTH": "put user and password into the URL",
    "WRONGPASS": "put the right user and password into the URL",
    "UNBLOCKED": "",
    "CLUSTERDOWN": "a part of the cluster is down",
    "TRYAGAIN": "",
}


def _unknown(where: str, exc: BaseException) -> LogStreamError:
    return Unknown(
        f"{where} does not answer: {str(exc) or type(exc).__name__}",
        hint="see whether Redis is up and the URL right",
        lasting=isinstance(exc, errors.InvalidResponse) or _is_of_tls(exc),
    )


def _is_of_tls(exc: BaseException | None) -> bool:
    """Whether the two ends do not agree on TLS, or on whom to believe."""
    while exc is not None and not isinstance(exc, ssl.SSLError):
        exc = exc.__cause__ or exc.__context__
    # One that was closed in the middle may have been on its way out.
    return isinstance(exc, ssl.SSLError) and not isinstance(exc, ssl.SSLEOFError)


def _loading(where: str, exc: BaseException) -> LogStreamError:
    return BrokerUnavailable(f"{where} is reading its data back after a start", retry_after_s=2)


def _login(where: str, exc: BaseException) -> LogStreamError:
    return BrokerUnavailable(
        f"{where} refuses the login: {exc}",
        hint="put the right user and password into the URL",
        lasting=True,
    )


def _forbidden(where: str, exc: BaseException) -> LogStreamError:
    return BrokerUnavailable(
        f"{where} forbids a command: {exc}",
        hint="allow it: the operations guide has the ACL line",
        lasting=True,
    )


def _readonly(where: str, exc: BaseException) -> LogStreamError:
    return BrokerUnavailable(f"{where} is a replica: it takes no writes", retry_after_s=2)


def _full(where: str, exc: BaseException) -> LogStreamError:
    return BrokerFull(
        f"{where} is out of memory (maxmemory)",
        hint="see whether the worker and the store are up, raise Redis's maxmemory, "
        "or lower broker_capacity so that requests are refused before",
    )


def _moving(where: str, exc: BaseException) -> LogStreamError:
    if "Cluster mode is not enabled" in str(exc):
        return BrokerUnavailable(
            f"{where} is no cluster", hint="write redis:// or rediss://", lasting=True
        )
    return BrokerUnavailable(f"a part of the cluster {where} is down or moving: {exc}")


_KINDS = (
    (errors.BusyLoadingError, _loading),
    (errors.AuthenticationError, _login),
    (errors.AuthorizationError, _login),
    (errors.NoPermissionError, _forbidden),
    (errors.ReadOnlyError, _readonly),
    (errors.OutOfMemoryError, _full),
    (
        (
            errors.ClusterDownError,
            errors.AskError,
            errors.TryAgainError,
            errors.SlotNotCoveredError,
            errors.RedisClusterException,
            errors.ClusterError,
        ),
        _moving,
    ),
    (
        (
            errors.ConnectionError,
            errors.TimeoutError,
            errors.InvalidResponse,
            OSError,
            AttributeError,
        ),
        _unknown,
    ),
)
# When a node of a cluster dies the driver closes connections under calls that have just taken
# them: those fail with an AttributeError of its own.
DRIVER_ERRORS = (errors.RedisError, errors.RedisClusterException, OSError, AttributeError)
