"""The schema's history: numbered SQL files in ``schema/``, each applied once and noted.

Files are never changed after a release: a change is a new file. What was applied is noted in the
table ``schema_migrations`` with a checksum of the text, so that an edited file is an error and
not a table that differs from its neighbour's.

A file is written for one server; `topology` makes of it what a cluster needs. Several
processes may apply the same file at the same time, so a statement has to change nothing when it
is run again: ``CREATE TABLE`` (``IF NOT EXISTS`` is added), ``ALTER TABLE`` with ``ADD … IF NOT
EXISTS``, ``DROP … IF EXISTS`` or ``MODIFY``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from importlib import resources

import msgspec

from logstream.errors import StoreUnavailable

__all__ = ["Migration", "all_migrations", "pending"]

_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


class Migration(msgspec.Struct, frozen=True):
    """One file: its number, its name, and its statements in order."""

    number: int
    name: str
    statements: tuple[str, ...]

    @property
    def checksum(self) -> str:
        return hashlib.sha256("\0".join(self.statements).encode()).hexdigest()[:32]


def all_migrations() -> tuple[Migration, ...]:
    """Every migration of this version, in order. Numbers start at 1 and have no gaps."""
    found = []
    for file in resources.files("logstream.store.schema").iterdir():
        match = _FILE_NAME.fullmatch(file.name)
        if match is not None:
            found.append(
                Migration(int(match[1]), match[2], tuple(_statements(file.read_text("utf-8"))))
            )
    return tuple(sorted(found, key=lambda each: each.number))


def pending(applied: Mapping[int, str], known: Iterable[Migration]) -> tuple[Migration, ...]:
    """The migrations still to apply, given the checksum of each one already applied.

    Raises:
        StoreUnavailable: the store was written by a newer version, or a file was edited.
    """
    by_number = {each.number: each for each in known}
    newer = sorted(set(applied) - set(by_number))
    if newer:
        raise StoreUnavailable(
            f"the store's schema is newer than this version (migration {newer[-1]})",
            hint="start the version of LogStream that wrote it, or a newer one",
            lasting=True,
        )
    for number, checksum in applied.items():
        if by_number[number].checksum != checksum:
            raise StoreUnavailable(
                f"migration {number} ({by_number[number].name}) differs from the one applied",
                hint="restore the file; a change to the schema is a new file",
                lasting=True,
            )
    return tuple(each for number, each in sorted(by_number.items()) if number not in applied)


def _statements(text: str) -> Iterable[str]:
    without_comments = re.sub(r"^\s*--.*$", "", text, flags=re.MULTILINE)
    return (each.strip() for each in without_comments.split(";") if each.strip())
