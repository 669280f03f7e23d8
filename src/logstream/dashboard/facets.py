"""``/api/v1/facets``: the commonest values of some fields among the matching records."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter

from logstream.dashboard.errors import ERRORS
from logstream.dashboard.params import AskedDependency, ServicesDependency, split_names
from logstream.query import field_equals
from logstream.store.base import ValueCount

__all__ = ["ValueAnswer", "ValueLimit", "facets", "value_answers"]

FacetFields = Annotated[
    str, QueryParameter(name="fields", description="Field names, separated by commas.")
]
ValueLimit = Annotated[
    int, QueryParameter(name="limit", ge=1, le=1_000, description="Most values of a field.")
]


class ValueAnswer(msgspec.Struct):
    """``filter`` is the query that finds exactly this value, escaped: add it to a query."""

    value: str
    count: int
    filter: str


class FacetAnswer(msgspec.Struct):
    """One field's values, commonest first, ties by value."""

    field: str
    values: list[ValueAnswer]


class FacetsAnswer(msgspec.Struct):
    """One facet for each field asked for, in that order."""

    facets: list[FacetAnswer]


@get("/facets", responses=ERRORS, summary="Values of fields with counts")
async def facets(
    services: ServicesDependency,
    asked: AskedDependency,
    fields: FacetFields = "level,service",
    limit: ValueLimit = 20,
) -> FacetsAnswer:
    """The commonest values of fields, counted over all matching records."""
    names = split_names(fields)
    counts = await services.store.facets(
        asked.where, asked.between, fields=names, limit=limit, limits=services.limits
    )
    return FacetsAnswer(
        [FacetAnswer(name, value_answers(name, counts.get(name, []))) for name in names]
    )


def value_answers(field: str, counts: list[ValueCount]) -> list[ValueAnswer]:
    """Values with the filter that finds each."""
    return [
        ValueAnswer(each.value, each.count, str(field_equals(field, each.value))) for each in counts
    ]
