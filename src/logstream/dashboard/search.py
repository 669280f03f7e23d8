"""``/api/v1/search``: records that match, newest first, page by page; or the table of a query
with pipes. ``/api/v1/explain``: how the store would find them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET, UnsetType

from logstream.dashboard.answers import (
    Cell,
    RecordAnswer,
    StatsAnswer,
    record_answer,
    row_answer,
    stats_answer,
)
from logstream.dashboard.cursor import decode_cursor, encode_cursor
from logstream.dashboard.errors import ERRORS
from logstream.dashboard.params import (
    DEFAULT_FROM,
    DEFAULT_TO,
    MAX_LIMIT,
    Asked,
    AskedDependency,
    Limit,
    ServicesDependency,
    ask,
)
from logstream.dashboard.queue import client_of
from logstream.dashboard.running import (
    ID_PATTERN,
    RUNNING,
    QueryId,
    RunningQueries,
    RunningQuery,
)
from logstream.dashboard.services import Services
from logstream.dashboard.stepwise import search_by_steps, unless_stopped
from logstream.errors import BadRequest
from logstream.store.base import TableResult

__all__ = ["explain", "search", "search_by_post"]

DEFAULT_LIMIT = 50

CursorText = Annotated[
    str,
    QueryParameter(
        name="cursor", description="next_cursor of the page before; query, from and to unchanged."
    ),
]
Count = Annotated[
    bool,
    QueryParameter(name="count", description="Also count all that match; false is quicker."),
]
Truncate = Annotated[
    int,
    QueryParameter(
        name="truncate", ge=0, description="Cut messages to so many characters; 0: whole."
    ),
]


class SearchAnswer(msgspec.Struct):
    """A page of records, newest first; ``next_cursor`` is null on the last one. ``stopped``: it
    was, by its ``query_id``; nothing older was looked for yet."""

    records: list[RecordAnswer]
    next_cursor: str | None
    stats: StatsAnswer
    stopped: bool | UnsetType = UNSET


class TableAnswer(msgspec.Struct):
    """What a query with pipes answers: its rows by column name, all on one page."""

    records: list[dict[str, Cell]]
    next_cursor: None
    stats: StatsAnswer


class SearchRequest(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The parameters of the GET request as JSON; times may also be epoch numbers."""

    query: str = ""
    from_: str | int | float = DEFAULT_FROM
    to: str | int | float = DEFAULT_TO
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    cursor: str | None = None
    count: bool = True
    truncate: Annotated[int, msgspec.Meta(ge=0)] = 0
    query_id: Annotated[str, msgspec.Meta(pattern=f"{ID_PATTERN}|^$")] = ""


class ExplainAnswer(msgspec.Struct):
    """``query`` as it was understood; ``plan``: what the engine would run, for a person."""

    query: str
    plan: str


@get("/search", responses=ERRORS, summary="Search records")
async def search(
    *,
    request: Request[Any, Any, Any],
    services: ServicesDependency,
    asked: AskedDependency,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorText = "",
    count: Count = True,
    truncate: Truncate = 0,
    query_id: QueryId = "",
) -> SearchAnswer | TableAnswer:
    """Records that match, newest first, or the rows of a query with pipes."""
    with _running(request, query_id) as query:
        return await _answer(services, asked, query, limit, cursor, count=count, truncate=truncate)


@post("/search", status_code=200, responses=ERRORS, summary="Search records, asked in JSON")
async def search_by_post(
    request: Request[Any, Any, Any], services: ServicesDependency, data: JSONBody[SearchRequest]
) -> SearchAnswer | TableAnswer:
    """The same for queries too long for a URL."""
    asked = ask(services, data.query, str(data.from_), str(data.to))
    with _running(request, data.query_id) as query:
        return await _answer(
            services,
            asked,
            query,
            data.limit,
            data.cursor or "",
            count=data.count,
            truncate=data.truncate,
        )


def _running(
    request: Request[Any, Any, Any], query_id: str
) -> AbstractContextManager[RunningQuery]:
    queries: RunningQueries = request.app.state[RUNNING]
    return queries.run(client_of(request), query_id)


async def _answer(
    services: Services,
    asked: Asked,
    query: RunningQuery,
    limit: int,
    cursor: str,
    *,
    count: bool,
    truncate: int,
) -> SearchAnswer | TableAnswer:
    limits = msgspec.structs.replace(services.limits, name=query.name)
    if asked.query.pipes:
        if cursor:
            raise BadRequest(
                "a query with pipes has one page, so it takes no cursor",
                hint="use | limit in the query for fewer rows",
            )
        table = services.store.table(asked.query, asked.between, limits=limits)
        return _table_answer(await unless_stopped(table, query))
    after, stopped = None, False
    if cursor:
        after, between = decode_cursor(cursor, asked)
        asked = Asked(asked.query, between, asked.from_text, asked.to_text)
    if query.asked_about and not count:
        page, stopped = await search_by_steps(
            services.store,
            asked.where,
            asked.between,
            after,
            limit=limit,
            limits=limits,
            query=query,
        )
    else:
        page = await unless_stopped(
            services.store.search(
                asked.where, asked.between, limit=limit, cursor=after, count=count, limits=limits
            ),
            query,
        )
    following = encode_cursor(page.next_cursor, asked) if page.next_cursor else None
    return SearchAnswer(
        [record_answer(stored, truncate=truncate) for stored in page.records],
        following,
        stats_answer(page.stats),
        stopped=stopped or UNSET,
    )


def _table_answer(table: TableResult) -> TableAnswer:
    rows = [row_answer(table.columns, row) for row in table.rows]
    return TableAnswer(rows, None, stats_answer(table.stats))


@get("/explain", responses=ERRORS, summary="Explain a query")
async def explain(services: ServicesDependency, asked: AskedDependency) -> ExplainAnswer:
    """What the engine would run for a query, and which indexes it would use."""
    plan = await services.store.explain(asked.query, asked.between)
    return ExplainAnswer(str(asked.query), plan)
