"""Names of the keys: all keys of one shard, and all of the control data, share a hash tag."""

from __future__ import annotations

__all__ = ["Control", "Shard"]


class Shard:
    """The keys of one shard; they live on one node whatever the cluster looks like."""

    def __init__(self, prefix: str, number: int) -> None:
        tag = f"{{{prefix}:{number}}}"
        self.number = number
        self.log = f"{tag}:log"
        self.meta = f"{tag}:meta"
        self.tail = f"{tag}:tail"
        self._writer = f"{tag}:writer:"

    def writer(self, name: str) -> str:
        return self._writer + name


class Control:
    """The keys of what belongs to no shard."""

    def __init__(self, prefix: str) -> None:
        tag = f"{{{prefix}}}"
        self.meta = f"{tag}:meta"
        self.workers = f"{tag}:workers"
        self.last_fix = f"{tag}:last_fix"
        self.groups = f"{tag}:groups"
        self.done = f"{tag}:done"
        self.seen = f"{tag}:seen"
        self.letters = f"{tag}:letters"
        self.letters_meta = f"{tag}:letters_meta"
