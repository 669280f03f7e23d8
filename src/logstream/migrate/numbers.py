"""Group numbers of copied records at their destination.

A store's group numbers have 44 bits. Those of a worker are its broker's, times four, and every
broker begins to count at the time of day in milliseconds: they are above 2**42 since November
2004. The 2**42 below are for copies: 26 bits tell one copy from another, 16 count its batches,
and a copy of more batches than that gets another 26 bits.

Both follow from what is copied where, so a repetition finds the same numbers; and they are lower
than any worker's, so that to live tail copied records are old ones, which they are.
"""

from __future__ import annotations

import hashlib

__all__ = ["BATCH_BITS", "END", "group_number"]

BATCH_BITS = 16
_COPY_BITS = 26
END = 1 << (_COPY_BITS + BATCH_BITS)
"""All numbers are below this, all of a worker above."""


def group_number(copy: str, batch: int) -> int:
    """The store's group number of a copy's batch, counted from 0."""
    block, number = divmod(batch, 1 << BATCH_BITS)
    digest = hashlib.blake2b(f"{block}:{copy}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - _COPY_BITS) << BATCH_BITS | number
