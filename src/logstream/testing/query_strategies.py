"""Hypothesis strategies for records and queries that often, but not always, match each other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from logstream.errors import QueryError
from logstream.query import ast, fields
from logstream.query.matching import check_filter, escape_pattern
from logstream.query.shape import Output, Shape, shape_after
from logstream.query.values import field_value
from logstream.record import Record
from logstream.severity import LEVELS, level_of_number
from logstream.timestamps import MAX_TIMESTAMP_NS, MIN_TIMESTAMP_NS, format_timestamp

__all__ = ["any_text", "field_refs", "filters", "patterns", "queries", "records"]

_WORDS = ("api", "API", "v1", "a", "1", "12", "user", "éa", "Éa", "日本", "\u212a", "ß", "\xa0")
_GLUE = (" ", "-", "_", "/", ".", "@", ":", "\n", "\t", "\0", "'", '"', "\\", "*", "%", "(", "]")
_NUMBERS = (
    "0", "-0", "1", "1.0", "+1", "-1", "1.5", ".5", "5.", "1e3", "1E-3", "500", "5e-324", "1e400",
    "9007199254740993", "0.1", "0x10", "inf", "-Infinity", "nan", " 1", "1 ", "1_0", "1e", "٣", "",
    "1,5", "--1", "12345678901234567890123",
)  # fmt: skip
_QUANTITIES = (
    "1.5s", "250ms", "250 ms", "1m30s", "1h0m2.5s", "-2us", "3µs", "3\u03bcs", "7ns", "1e3ms", "2d",
    ".5h", "1s2s", "s", "-", "1S", "1 s", "1  s", "1e400s", "0.1ms", "10kB", "10KB", "10KiB",
    "1.5mb", "3 GB", "512B", "512b", "\u212aB", "1ib", "1MB2kB", "1e308PB", "1e308h1e308s", "5s\n",
)  # fmt: skip
_KEYS = (
    "a",
    "took_ms",
    "sizeBytes",
    "status",
    "k8s.pod/name",
    "a b",
    "",
    "level",
    "msg",
    'q"\\',
    "service.name",
    "by",
)
_TIMESTAMP = fields.CANONICAL["timestamp"]
_BASE_NS = 1_700_000_000_000_000_000


def any_text(max_size: int = 20) -> SearchStrategy[str]:
    """Any storable text: no lone surrogates, everything else."""
    return st.text(st.characters(codec="utf-8"), max_size=max_size)


_texts = st.one_of(
    st.lists(st.sampled_from(_WORDS + _GLUE), max_size=6).map("".join),
    st.sampled_from(_NUMBERS),
    st.sampled_from(_QUANTITIES),
    any_text(),
)
_numbers = st.one_of(
    st.sampled_from(("0", "1", "1.5", "500", "-1", "1e3", "0.1", "9007199254740993")),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
_keys = st.one_of(st.sampled_from(_KEYS), _texts)
_attributes = st.dictionaries(_keys, _texts, max_size=4)
_timestamps = st.one_of(
    st.integers(_BASE_NS, _BASE_NS + 5),
    st.integers(_BASE_NS, _BASE_NS + 10**13),
    st.integers(MIN_TIMESTAMP_NS, MAX_TIMESTAMP_NS),
    st.just(MAX_TIMESTAMP_NS),
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """One record whose level agrees with its severity number."""
    number = draw(st.integers(0, 24))
    return Record(
        timestamp_ns=draw(_timestamps),
        message=draw(_texts),
        level=level_of_number(number),
        severity_number=number,
        service=draw(st.one_of(st.sampled_from(("api", "web", "")), _texts)),
        trace_id=draw(st.sampled_from(("", "abc123", "ABC123"))),
        span_id=draw(st.sampled_from(("", "ff"))),
        trace_flags=draw(st.integers(0, 255)),
        event_name=draw(_texts),
        attributes=draw(_attributes),
        resource=draw(_attributes),
        scope_name=draw(_texts),
        scope_version=draw(_texts),
        scope_attributes=draw(_attributes),
    )


def field_refs() -> SearchStrategy[fields.FieldRef]:
    """Columns, synonyms and attributes in any of the maps."""
    return st.one_of(
        st.sampled_from(tuple(fields.CANONICAL.values())),
        st.sampled_from(tuple(fields.SYNONYMS)).map(fields.resolve),
        st.builds(fields.attribute, _keys, st.sampled_from(fields.AttributeMap)),
    )


def patterns() -> SearchStrategy[str]:
    """RE2 patterns made of literals, classes, anchors, groups and repetition."""
    piece = st.one_of(
        st.sampled_from((".", r"\d+", "[a-z]", r"\w", r"\s", r"\b", "^", "$", "a*", "[^a]", "/")),
        st.sampled_from(("api", "1", "é", r"\.", r"\\", r"\x{0}", "(?:a|v1)", "(a|)", "(?i:API)")),
    )
    return st.lists(piece, min_size=1, max_size=4).map("".join)


_regexes = st.builds(ast.Regex, patterns(), st.booleans())
_operands = st.one_of(
    _numbers,
    st.sampled_from((*LEVELS, "notice", "ERR", "17")),
    st.sampled_from(_QUANTITIES),
    _timestamps.map(format_timestamp),
)
_matchers: SearchStrategy[ast.Matcher] = st.one_of(
    st.builds(ast.Equals, st.one_of(_texts, _operands)),
    st.builds(ast.Exact, _texts),
    st.builds(ast.StartsWith, _texts.filter(bool)),
    _regexes,
    st.builds(ast.Comparison, st.sampled_from(("<", "<=", ">", ">=")), _operands),
    st.builds(ast.Range, st.none() | _numbers, st.none() | _numbers, st.booleans(), st.booleans()),
    st.just(ast.Exists()),
)


def _runs(leaf: ast.Filter) -> bool:
    try:
        check_filter(leaf)
    except QueryError:
        return False
    return True


_field_filters: SearchStrategy[ast.Filter] = st.builds(
    ast.FieldFilter, field_refs(), _matchers
).filter(_runs)
_message_filters: SearchStrategy[ast.Filter] = st.one_of(
    st.builds(ast.text_filter, _texts), st.builds(ast.Prefix, _texts.filter(bool)), _regexes
)


@st.composite
def _leaves_about(draw: st.DrawFn, stored: Sequence[Record]) -> ast.Filter:
    """A filter made from what one of the records holds."""
    record = draw(st.sampled_from(stored))
    refs: list[fields.FieldRef] = [*fields.CANONICAL.values()]
    refs += [fields.resolve(name) for name in fields.SYNONYMS]
    for where, attributes in (
        (fields.AttributeMap.OWN, record.attributes),
        (fields.AttributeMap.RESOURCE, record.resource),
    ):
        refs += [fields.attribute(key, where) for key in attributes]
        refs += [fields.attribute(key) for key in attributes] * 3
    ref = draw(st.sampled_from(refs))
    value = field_value(ref, record)
    text = format_timestamp(record.timestamp_ns) if ref == _TIMESTAMP else str(value)
    start = draw(st.integers(0, max(len(text) - 1, 0)))
    piece = text[start : draw(st.integers(start, len(text)))]
    candidates: list[ast.Filter] = [
        ast.text_filter(piece),
        ast.Regex(escape_pattern(piece), draw(st.booleans())),
        ast.FieldFilter(ref, ast.Equals(text)),
        ast.FieldFilter(ref, ast.Exact(text)),
        ast.FieldFilter(ref, ast.Exists()),
        ast.FieldFilter(ref, ast.Comparison(draw(st.sampled_from((">", ">=", "<"))), text)),
        ast.FieldFilter(ref, ast.Range(text, None, draw(st.booleans()))),
    ]
    if piece:
        candidates.append(ast.Prefix(piece))
        candidates.append(ast.FieldFilter(ref, ast.StartsWith(text[: len(piece)])))
    return draw(st.sampled_from([leaf for leaf in candidates if _runs(leaf)]))


@st.composite
def filters(draw: st.DrawFn, stored: Sequence[Record] = ()) -> ast.Filter:
    """Any filter that `parse` could return; most are about what the given records hold."""
    leaves = [_message_filters, _field_filters, _everything]
    if stored:
        leaves = [_leaves_about(stored)] * 4 + leaves
    leaf = st.one_of(leaves)
    simple = st.one_of(leaf, leaf, leaf.map(ast.Not))
    return draw(_combined(_combined(simple)))


_everything: SearchStrategy[ast.Filter] = st.just(ast.Everything())


def _combined(inner: SearchStrategy[ast.Filter]) -> SearchStrategy[ast.Filter]:
    few = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        inner,
        few.map(lambda each: ast.all_of(*each)),
        few.map(lambda each: ast.any_of(*each)),
        few.map(lambda each: ast.Not(ast.all_of(*each))),
    )


_FUNCTIONS = ("sum", "avg", "min", "max", "uniq", "p50", "p90", "p95", "p99", "count")
_aliases = st.one_of(st.just(""), st.sampled_from(("n", "by", "my n")), any_text(4))
_bins = st.builds(ast.Bin, st.sampled_from(("1s", "1m", "1h30m", "7d", "1.5s", "3ns")))


def _pipes(
    refs: SearchStrategy[fields.FieldRef], by: SearchStrategy[fields.FieldRef | ast.Bin]
) -> SearchStrategy[ast.Pipe]:
    aggregates = st.one_of(
        st.builds(ast.Aggregate, st.just("count"), st.none(), _aliases),
        st.builds(ast.Aggregate, st.sampled_from(_FUNCTIONS), refs, _aliases),
    )
    columns = refs.map(str)
    few = partial(st.lists, min_size=1, max_size=2)
    return st.one_of(
        st.builds(
            ast.Stats,
            few(aggregates).map(tuple),
            st.lists(st.builds(ast.Group, by, _aliases), max_size=2).map(tuple),
        ),
        st.builds(ast.Top, st.integers(0, 5), few(refs).map(tuple)),
        st.builds(ast.Sort, few(st.builds(ast.SortKey, columns, st.booleans())).map(tuple)),
        st.builds(ast.Limit, st.integers(0, 5)),
        st.builds(ast.Fields, few(columns).map(tuple)),
    )


_record_pipes = _pipes(field_refs(), st.one_of(field_refs(), _bins))


@st.composite
def queries(draw: st.DrawFn, stored: Sequence[Record] = ()) -> ast.Query:
    """A filter and up to three pipes, each of which fits the columns before it."""
    pipes: list[ast.Pipe] = []
    shape: Shape = None
    for _ in range(draw(st.integers(0, 3))):
        pipe = draw(_record_pipes if shape is None else _pipes(*[_columns_of(shape)] * 2))
        try:
            shape = shape_after(shape, pipe)
        except QueryError:
            continue
        pipes.append(pipe)
    return ast.Query(draw(filters(stored)), tuple(pipes))


def _columns_of(shape: tuple[Output, ...]) -> SearchStrategy[fields.FieldRef]:
    """Fields whose names are the columns' names."""
    refs = [fields.CANONICAL.get(o.name, fields.attribute(o.name)) for o in shape]
    return st.sampled_from(refs)
