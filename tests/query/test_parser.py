"""Query text to values, back to text, and faults that say what to do."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logstream.errors import QueryError
from logstream.query import (
    And,
    Comparison,
    Equals,
    Everything,
    Exact,
    Exists,
    FieldFilter,
    Filter,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Regex,
    StartsWith,
    Word,
    attribute,
    field_equals,
    parse,
    quote,
    resolve,
)
from logstream.query.parser import MAX_DEPTH, MAX_FILTERS, MAX_QUERY_CHARS
from logstream.testing.query_strategies import any_text, field_refs, queries


def field(name: str, matcher: object) -> Filter:
    """A field filter, briefly."""
    return FieldFilter(resolve(name), matcher)  # type: ignore[arg-type] # each case gives a matcher


MEANINGS: dict[str, Filter] = {
    "": Everything(),
    "  \n ": Everything(),
    "*": Everything(),
    "timeout": Word("timeout"),
    '"timeout"': Word("timeout"),
    "node-12": Phrase("node-12"),
    '"user not found"': Phrase("user not found"),
    "/api/v1": Phrase("/api/v1"),
    "user@example.com": Phrase("user@example.com"),
    "12:30:45": Phrase("12:30:45"),
    "http://host/x": Phrase("http://host/x"),
    "std::vector": Phrase("std::vector"),
    "and or not": And((Word("and"), Word("or"), Word("not"))),
    '"AND"': Word("AND"),
    "ANDROID": Word("ANDROID"),
    "time*": Prefix("time"),
    '"connection re"*': Prefix("connection re"),
    "/time(d )?out/": Regex("time(d )?out"),
    r"/a\/b\d/i": Regex(r"a/b\d", ignore_case=True),
    "a b": And((Word("a"), Word("b"))),
    "a AND b": And((Word("a"), Word("b"))),
    "a b OR c": Or((And((Word("a"), Word("b"))), Word("c"))),
    "(a OR b) c": And((Or((Word("a"), Word("b"))), Word("c"))),
    "NOT a": Not(Word("a")),
    "-a": Not(Word("a")),
    "-(a b)": Not(And((Word("a"), Word("b")))),
    "a -b": And((Word("a"), Not(Word("b")))),
    "service:api": field("service", Equals("api")),
    "service: api": field("service", Equals("api")),
    'a:"x y"': field("a", Equals("x y")),
    "a:x-y:z": field("a", Equals("x-y:z")),
    "a:x b c:y": And((field("a", Equals("x")), Word("b"), field("c", Equals("y")))),
    "a:-5 b": And((field("a", Equals("-5")), Word("b"))),
    "a:[-5 TO -1] -b": And((field("a", Range("-5", "-1")), Not(Word("b")))),
    "a:-5": field("a", Equals("-5")),
    'a:=""': field("a", Exact("")),
    "a:val*": field("a", StartsWith("val")),
    'a:"x y"*': field("a", StartsWith("x y")),
    "a:*": field("a", Exists()),
    "a:/re/i": field("a", Regex("re", ignore_case=True)),
    "a:/var/log": field("a", Equals("/var/log")),
    "a:>=500": field("a", Comparison(">=", "500")),
    "a:< -1.5": field("a", Comparison("<", "-1.5")),
    "a:[1 TO 5]": field("a", Range("1", "5")),
    "a:{1 TO *]": field("a", Range("1", None, include_low=False)),
    "a:(x OR y)": Or((field("a", Equals("x")), field("a", Equals("y")))),
    "a:(x -y)": And((field("a", Equals("x")), Not(field("a", Equals("y"))))),
    "-a:x": Not(field("a", Equals("x"))),
    "k8s.pod/name-1:x": field("k8s.pod/name-1", Equals("x")),
    '"a b":x': FieldFilter(attribute("a b"), Equals("x")),
    '"level":x': FieldFilter(attribute("level"), Equals("x")),
    '"":x': FieldFilter(attribute(""), Equals("x")),
    'attributes."":x': field('attributes.""', Equals("x")),
    "timestamp:>=2026-11-23T10:00:00Z": field(
        "timestamp", Comparison(">=", "2026-11-23T10:00:00Z")
    ),
}


@pytest.mark.parametrize("text", MEANINGS)
def test_text_means(text: str) -> None:
    """Each form of the language parses to the value that the reference says."""
    assert parse(text) == Query(MEANINGS[text])


@given(query=queries())
@settings(max_examples=150)
def test_canonical_text_parses_to_the_same_query(query: Query) -> None:
    """``parse(str(query)) == query`` for any query."""
    assert parse(str(query)) == query, str(query)


@given(value=any_text())
@example(value='"\\\n\t\r\0\x7f\u2028')
def test_quoted_values_parse_to_themselves(value: str) -> None:
    """A quoted value is read back exactly, in filters by field and as a name."""
    assert parse(f"a:{quote(value)}").filter == field("a", Equals(value))
    assert resolve(quote(value)) == attribute(value)


@given(ref=field_refs(), value=any_text())
def test_click_to_filter_text_parses_to_the_filter(ref: object, value: str) -> None:
    """Text made for any attribute and value is that filter again."""
    wanted = field_equals(attribute(str(ref)), value)
    assert parse(str(wanted)).filter == wanted


FAULTS: dict[str, tuple[int, int, str, str]] = {
    # text: line, column, part of the message or of what was expected, part of the hint
    "foo | stat count()": (1, 7, 'unknown pipe "stat"', '"stats"'),
    "foo | head 5": (1, 7, 'unknown pipe "head"', '"limit"'),
    "foo | stats cuont()": (1, 13, 'unknown function "cuont"', '"count"'),
    "foo | stats median(x)": (1, 13, 'unknown function "median"', '"p50"'),
    "foo | stats count() by binn(1m)": (1, 24, "binn", '"bin"'),
    "foo | count()": (1, 7, 'unknown pipe "count"', "write stats count()"),
    "foo | stats count by x": (1, 19, "'b' cannot stand", "count()"),
    "foo |": (1, 6, "pipe's name is missing", ""),
    "foo | stats avg()": (1, 13, "needs a field", "avg(duration)"),
    "foo | stats count() by bin(x)": (1, 24, "needs a duration", "bin(1m)"),
    "foo | stats count() | sort x": (1, 23, "no column x", ""),
    "foo | stats count(), count()": (1, 7, "two columns", "as"),
    "foo | sort count()": (1, 7, "no column count()", "stats"),
    "foo | limit many": (1, 13, "whole number", ""),
    "a AND": (1, 6, "too early", ""),
    "(a OR b": (1, 8, "too early", "close the parenthesis"),
    "a\n  b)": (2, 4, "')'", "quotes"),
    '"open': (1, 1, "cannot stand", "not closed"),
    "a:": (1, 3, "too early", ""),
    "status:!=5": (1, 8, "! has no meaning", "NOT"),
    "foo*bar": (1, 1, "* can only end", "quote it"),
    "level:>=fatl": (1, 9, "no level", ""),
    "x\nstatus:>=five": (2, 10, "no number", ""),
    "timestamp:>yesterday": (1, 12, "no time", "2026"),
    "/(/": (1, 1, "bad regex", "RE2"),
    r"/(a)\1/": (1, 1, "bad regex", "RE2"),
    r"/(?=a)/": (1, 1, "bad regex", "RE2"),
    r'a:"\q"': (1, 3, "unknown escape", "backslash"),
    "a \ud800": (1, 3, "surrogate", ""),
    "trace_flags:x*": (1, 13, "is a number", ""),
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults_say_where_and_what_to_do(text: str) -> None:
    """A fault names its place, what is wrong or was expected, and a way out."""
    line, column, message, hint = FAULTS[text]
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert (error.line, error.column) == (line, column)
    assert message in f"{error.message} {error.expected}"
    assert hint in error.hint


@pytest.mark.parametrize(
    "text",
    [
        "a" * (MAX_QUERY_CHARS + 1),
        "NOT " * (MAX_DEPTH + 1) + "a",
        "-" * 60_000 + "a",
        "a:(" + "NOT " * 10_000 + "b)",
        "(a OR " * 9_000 + "b" + ")" * 9_000,
        "(" * 60_000,
        "a " * (MAX_FILTERS + 1),
        "/" + "a" * 1_001 + "/",
        "/((((a{100}){100}){100}){100})/",
        '"' + '\\"' * 30_000,
        "* | fields " + ",".join(f"a{n}" for n in range(101)),
        "* | sort " + ",".join(["a"] * 101),
    ],
    ids=[
        "long",
        "not",
        "minus",
        "group",
        "nested",
        "open",
        "many",
        "pattern",
        "repetition",
        "unclosed",
        "columns",
        "keys",
    ],
)
def test_hostile_queries_are_refused(text: str) -> None:
    """No query is too large, too deep or too costly to be refused in good order."""
    with pytest.raises(QueryError):
        parse(text)


def test_parentheses_alone_have_no_depth() -> None:
    """Redundant parentheses change nothing, however many."""
    assert parse("(" * 30_000 + "a" + ")" * 30_000) == Query(Word("a"))


@given(text=st.one_of(any_text(), st.lists(st.sampled_from(
    ("a", "*", "NOT", "OR", "AND", "TO", "(", ")", "[", "]", "{", "}", '"', "/", "\\", ":", "-",
     ">", "=", "|", "stats", "count()", "by", ",", "sort", "1", "limit", "fields", "as", " ", "é")
)).map("".join)))  # fmt: skip
@settings(max_examples=300)
def test_any_text_parses_or_is_refused(text: str) -> None:
    """No text makes the parser fail in any way but a `QueryError`; what parses, prints."""
    try:
        query = parse(text)
    except QueryError as error:
        place = (error.line, error.column)
    else:
        place = (1, 1)
        assert parse(str(query)) == query
    assert min(place) >= 1
