"""What an acknowledgement of Redis rests on, in words, from Redis's own settings."""

from __future__ import annotations

from collections.abc import Mapping

from logstream.broker.redis.link import Link
from logstream.errors import BrokerUnavailable, LogStreamError

__all__ = ["Persistence", "as_mapping"]

_AOF = {
    "always": "Redis: fsynced before it is acknowledged",
    "everysec": "Redis: written at once, fsynced every second: a power cut may take the last one "
    "or two, a crash of Redis nothing",
    "no": "Redis: written at once, fsynced when the system likes: a power cut may take half a "
    "minute, a crash of Redis nothing",
    "": "Redis: written to its append-only file; it does not say when it syncs that",
}
_MEMORY = "Redis: memory alone, gone when Redis ends"
_SNAPSHOTS = (
    "Redis: memory, with snapshots now and then: when Redis ends, all since the last is gone"
)
_NAMES = ("appendonly", "appendfsync", "save", "maxmemory-policy")


class Persistence:
    """Asked again now and then: an operator may change it while Redis runs."""

    def __init__(self, link: Link, *, wait_replicas: int) -> None:
        self._link = link
        self._wait_replicas = wait_replicas
        self.durability = "Redis: how it persists is not known"
        self.warnings: tuple[str, ...] = ()

    async def refresh(self) -> None:
        """
        Raises:
            BrokerUnavailable: Redis does not answer.
        """
        nodes = await self._settings()
        words = sorted({_in_words(each) for each in nodes})
        self.durability = words[0] if len(words) == 1 else f"nodes differ: {'; '.join(words)}"
        if self._wait_replicas:
            self.durability += f"; in the memory of {self._wait_replicas} replicas as well"
        self.warnings = tuple(sorted({text for each in nodes for text in _warnings(each)}))

    async def _settings(self) -> list[Mapping[str, str]]:
        try:
            answers = await self._link.on_masters("CONFIG", "GET", *_NAMES)
        except LogStreamError as exc:
            # Managed services forbid CONFIG; what is not forbidden says a little less.
            if isinstance(exc, BrokerUnavailable) and "forbids" not in exc.message:
                raise
            answers = await self._link.on_masters("INFO", "everything")
            return [_from_info(as_mapping(each)) for each in answers]
        return [as_mapping(each) for each in answers]


def as_mapping(answer: object) -> Mapping[str, str]:
    """Names and values, whatever the protocol's version and the driver made of them."""
    if isinstance(answer, bytes):
        lines = (line.partition(":") for line in answer.decode().splitlines())
        return {name: value for name, _, value in lines}
    if isinstance(answer, list):
        answer = dict(zip(answer[::2], answer[1::2], strict=True))
    if not isinstance(answer, dict):
        return {}
    return {_text(name): _text(value) for name, value in answer.items()}


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _from_info(info: Mapping[str, str]) -> Mapping[str, str]:
    return {
        "appendonly": "yes" if info.get("aof_enabled") == "1" else "no",
        "appendfsync": "",
        "save": "?",
        "maxmemory-policy": info.get("maxmemory_policy", "noeviction"),
    }


def _in_words(settings: Mapping[str, str]) -> str:
    if settings.get("appendonly") == "yes":
        return _AOF.get(settings.get("appendfsync", ""), _AOF[""])
    return _SNAPSHOTS if settings.get("save") else _MEMORY


def _warnings(settings: Mapping[str, str]) -> list[str]:
    found = []
    if settings.get("appendonly") != "yes":
        found.append(
            "an acknowledgement rests on Redis's memory alone: set appendonly yes in Redis"
        )
    policy = settings.get("maxmemory-policy", "noeviction")
    if policy != "noeviction":
        found.append(
            f"Redis may throw acknowledged records away when its memory is full "
            f"(maxmemory-policy {policy}): set noeviction"
        )
    return found
