"""``/api/v1/fields``: which fields occur; ``/fields/{field}/values``: values to complete with."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

import msgspec
from litestar import get
from litestar.params import PathParameter, QueryParameter

from logstream.dashboard.errors import ERRORS
from logstream.dashboard.facets import ValueAnswer, ValueLimit, value_answers
from logstream.dashboard.params import AskedDependency, ServicesDependency, field_name

__all__ = ["field_values", "fields"]

FieldInPath = Annotated[
    str,
    PathParameter(
        description="A field as queries write it, or any attribute's key, percent-encoded."
    ),
]
Prefix = Annotated[
    str, QueryParameter(name="prefix", description="What values start with, case-sensitive.")
]


class FieldAnswer(msgspec.Struct):
    """``name`` as queries write it; ``count``: in how many of the rows looked at it occurs;
    ``approximate``: those were a sample; ``numeric``: its values look like numbers."""

    name: str
    count: int
    numeric: bool
    approximate: bool


class FieldsAnswer(msgspec.Struct):
    """Fields of the matching records, commonest first."""

    fields: list[FieldAnswer]


class ValuesAnswer(msgspec.Struct):
    """Values of one field, commonest first, ties by value."""

    field: str
    values: list[ValueAnswer]


@get("/fields", responses=ERRORS, summary="Fields that occur")
async def fields(services: ServicesDependency, asked: AskedDependency) -> FieldsAnswer:
    """Fields that occur in the matching records."""
    found = await services.store.fields(asked.where, asked.between, limits=services.limits)
    return FieldsAnswer(
        [FieldAnswer(each.name, each.count, each.numeric, each.approximate) for each in found]
    )


@get("/fields/{field:str}/values", responses=ERRORS, summary="Values of a field with counts")
async def field_values(
    services: ServicesDependency,
    asked: AskedDependency,
    field: FieldInPath,
    prefix: Prefix = "",
    limit: ValueLimit = 20,
) -> ValuesAnswer:
    """Values of one field that start with a prefix, counted over the matching records."""
    name = field_name(unquote(field))
    found = await services.store.field_values(
        name, prefix, asked.where, asked.between, limit=limit, limits=services.limits
    )
    return ValuesAnswer(name, value_answers(name, found))
