"""What may be asked: parameters that several routes share, checked in one place.

Times are RFC 3339, epoch numbers in s, ms, µs or ns, or relative (``now``, ``now-15m``, ``-1h``).
A range is half-open: ``from <= timestamp < to``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter, SkipValidation
from litestar.routes import HTTPRoute

from logstream.dashboard.errors import suggestion
from logstream.dashboard.services import Services
from logstream.errors import BadRequest, QueryError
from logstream.query import Filter, Query, parse
from logstream.query.fields import resolve
from logstream.query.text import quote
from logstream.store.base import TimeRange
from logstream.timestamps import parse_time

__all__ = [
    "DEFAULT_FROM",
    "DEFAULT_TO",
    "MAX_LIMIT",
    "MAX_TIME_CHARS",
    "Asked",
    "AskedDependency",
    "FromTime",
    "Limit",
    "QueryText",
    "ServicesDependency",
    "ToTime",
    "asked",
    "field_name",
    "parameters_of",
    "refuse_unknown",
    "split_names",
    "time_range",
]

DEFAULT_FROM, DEFAULT_TO = "now-15m", "now"
MAX_LIMIT = 10_000
MAX_NAMES = 50
MAX_TIME_CHARS = 64  # nothing that is a time or a duration is longer

PARAMETERS = "logstream.parameters"
"""Key of `parameters_of` the application in its state."""

QueryText = Annotated[str, QueryParameter(name="query", description="A query; empty: everything.")]
FromTime = Annotated[
    str,
    QueryParameter(
        name="from", description="Start, included: RFC 3339, epoch, or relative such as now-15m."
    ),
]
ToTime = Annotated[str, QueryParameter(name="to", description="End, not included.")]
Limit = Annotated[
    int, QueryParameter(name="limit", ge=1, le=MAX_LIMIT, description="Most records on a page.")
]
ServicesDependency: TypeAlias = NamedDependency[SkipValidation[Services]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query over a time range, as text and as what it means."""

    query: Query
    between: TimeRange
    from_text: str = DEFAULT_FROM
    to_text: str = DEFAULT_TO

    @property
    def where(self) -> Filter:
        """The filter alone: what histograms and facets of a query with pipes count."""
        return self.query.filter


AskedDependency: TypeAlias = NamedDependency[SkipValidation[Asked]]


def asked(
    services: ServicesDependency,
    q: QueryText = "",
    from_: FromTime = DEFAULT_FROM,
    to: ToTime = DEFAULT_TO,
) -> Asked:
    """``query``, ``from`` and ``to`` of a request.

    Raises:
        QueryError: the query does not parse.
        BadRequest: a time does not parse, or the range is empty.
    """
    return ask(services, q, from_, to)


def ask(services: Services, query: str, from_: str, to: str) -> Asked:
    """What these three texts mean now; raises as `asked`."""
    between = time_range(from_, to, now_ns=services.clock.time_ns())
    return Asked(parse(query), between, from_, to)


def time_range(from_: str, to: str, *, now_ns: int) -> TimeRange:
    """The range between two times as people write them.

    Raises:
        BadRequest: one of them is no time, or the range is empty.
    """
    start_ns, end_ns = _moment("from", from_, now_ns), _moment("to", to, now_ns)
    if start_ns >= end_ns:
        raise BadRequest(
            f"from ({from_}) is not before to ({to})",
            hint="give an earlier from or a later to; the end itself is not included",
        )
    return TimeRange(start_ns, end_ns)


def _moment(name: str, text: str, now_ns: int) -> int:
    moment_ns = parse_time(text, now_ns=now_ns) if len(text) <= MAX_TIME_CHARS else None
    if moment_ns is None:
        raise BadRequest(
            f"{name} cannot be {text[:100]!r}",
            hint="give RFC 3339 such as 2026-01-31T12:00:00Z, an epoch time, or now-15m",
        )
    return moment_ns


def field_name(text: str) -> str:
    """A field's name as queries write it, from one written so or from any attribute's bare key.

    Raises:
        QueryError: a quoted name with a bad escape.
    """
    try:
        resolve(text)
    except QueryError:
        if text.startswith('"'):
            raise
        return quote(text)
    return text


def split_names(text: str) -> list[str]:
    """Field names separated by commas; a comma inside double quotes belongs to its name.

    Raises:
        BadRequest: none, or too many.
        QueryError: a quoted name with a bad escape.
    """
    names, current, quoted, escaped = [], "", False, False
    for char in text:
        if char == "," and not quoted:
            names.append(current)
            current = ""
            continue
        quoted ^= char == '"' and not escaped
        escaped = char == "\\" and quoted and not escaped
        current += char
    names.append(current)
    given = list(dict.fromkeys(field_name(name.strip()) for name in names if name.strip()))
    if len(given) > MAX_NAMES:
        raise BadRequest(f"{len(given)} fields at once are too many", hint=f"at most {MAX_NAMES}")
    return given


def refuse_unknown(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard: parameters nobody reads, or given twice, are errors rather than surprises.

    Raises:
        BadRequest: names the first one.
    """
    given = connection.query_params
    if not given:
        return
    known: set[str] = connection.app.state[PARAMETERS][id(connection.route_handler)]
    for name in given:
        if name not in known:
            raise BadRequest(f"there is no parameter {name[:100]!r}", hint=suggestion(name, known))
        if len(given.getall(name)) > 1:
            raise BadRequest(f"{name} is given more than once")


def parameters_of(app: Litestar) -> dict[int, set[str]]:
    """For each route handler (by `id`) the query parameters it reads, dependencies' included."""
    return {
        id(handler): {parameter.field_alias for parameter in model.expected_query_params}
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler, model in route.route_handler_map.values()
    }
