"""Templates: what they find, how they group real logs, and what hostile messages do to them."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logstream.patterns import Sampled, Stopped, Template, mine
from logstream.patterns.masking import KINDS, MAX_REGEX_CHARS, read_shape
from logstream.patterns.miner import MAX_GROUPS
from logstream.query import parse
from logstream.query.evaluate import predicate
from logstream.query.matching import MAX_PATTERN_CHARS, compile_pattern, first_match
from logstream.record import Record
from logstream.testing.query_strategies import any_text

SAMPLES = Path(os.environ.get("LOGSTREAM_SAMPLE_DATA", "../shared/data")) / "loghub"

_TOKENS = st.sampled_from([
    "17", "-4", "1.5", "10.0.0.1", "10.0.0.1:80", "45ms", "1m30s", "12MB", "0xdeadBEEF", "c4f2a1b0",
    "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "2026-01-31T12:00:00.123Z", "2026-01-31", "12:00:01,5",
    "/var/log/a.log", "https://a.example/b?c=d", "user=", "user=bob", "[x]", "a\vb", "\t",
    "  ", "\n",
    "<num>", "^.*$", "日本", "\x00", "\u2028", "/", "\\", "a=1,b=2", "3µs",
])  # fmt: skip
_MESSAGES = st.lists(
    st.one_of(st.lists(_TOKENS, max_size=6).map(" ".join), any_text()), min_size=1, max_size=12
)


def sampled(*messages: str) -> list[Sampled]:
    return [Sampled(n, "info", "api", message) for n, message in enumerate(messages)]


def mined(*messages: str) -> list[Template]:
    return mine(sampled(*messages)).templates


@given(_MESSAGES)
@settings(max_examples=200, deadline=None)
@example(["", " ", "\n", "\n\n"])
@example(["a b", " a b", "a\tb", "a b\n"])
@example(["user=bob", "user=", "user=12"])
@example(["x" * 3_000, "y" * 5_000, "z " * 2_000, " " * 2_500])
def test_a_template_finds_every_message_it_was_mined_from(messages: list[str]) -> None:
    """As query text, read by the parser, its filter accepts each of its messages; none is lost."""
    result = mine(sampled(*messages))
    assert sum(each.count for each in result.templates) + result.other == len(messages)
    filters = [predicate(parse(str(each.filter)).filter) for each in result.templates]
    for message in messages:
        record = Record(timestamp_ns=0, message=message)
        assert any(keep(record) for keep in filters), message
    for keep, template in zip(filters, result.templates, strict=True):
        assert keep(Record(timestamp_ns=0, message=template.example))
        assert sum(keep(Record(timestamp_ns=0, message=each)) for each in messages) >= (
            template.count
        )


@given(_MESSAGES)
@settings(max_examples=50, deadline=None)
def test_the_same_messages_give_the_same_templates(messages: list[str]) -> None:
    """Nothing depends on chance or on what was mined before."""
    assert mine(sampled(*messages)) == mine(sampled(*messages))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("17", "num"), ("-4.25", "num"), ("10.1.2.3", "ip"), ("45ms", "duration"),
        ("1h0m2.5s", "duration"), ("3µs", "duration"), ("512KiB", "size"), ("10B", "size"),
        ("0xDEAD", "hex"), ("9f8e7d6c", "hex"), ("12:30:01.250", "time"), ("2026-01-31", "time"),
        ("2026-01-31T12:00:00.123456Z", "time"), ("2026-01-31T12:00:00+01:00", "time"),
        ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "uuid"),
    ],
)  # fmt: skip
def test_what_varies_is_masked_by_its_kind(text: str, kind: str) -> None:
    """One message is enough to see that a number, a time or an id varies; its kind finds it."""
    [template] = mined(f"got {text} now")
    assert template.text == f"got <{kind}> now"
    assert [(each.value, each.count) for each in template.tokens[0].values] == [(text, 1)]
    assert compile_pattern(f"^{KINDS[kind].regex}$").search(text.encode())


@pytest.mark.parametrize("word", ["md5", "x86", "user42", "decade", "v1beta", "a1b2", "cafe"])
def test_words_with_digits_stay_words(word: str) -> None:
    """A name that holds a digit is no number."""
    assert mined(f"uses {word}")[0].text == f"uses {word}"


def test_what_differs_becomes_a_token() -> None:
    """Words that differ are one token, between what they begin and end with alike."""
    [template] = mined(*(f"login user={name} from {ip}" for name, ip in (("ann", "10.0.0.1"),
                       ("bob", "10.0.0.2"), ("cleo", "10.0.0.1"))))  # fmt: skip
    assert template.text == "login user=<*> from <ip>"
    name, address = template.tokens
    assert [each.value for each in name.values] == ["ann", "bob", "cleo"]
    assert [(each.value, each.count) for each in address.values] == [
        ("10.0.0.1", 2), ("10.0.0.2", 1),
    ]  # fmt: skip
    assert str(template.filter) == r"/^login user=\S* from \d+(?:\.\d+){3}$/"


def test_tokens_that_are_all_paths_say_so() -> None:
    """What only ever stood for paths is a path, in the filter too."""
    [template] = mined(*(f"cannot open {path} for reading" for path in ("/a/x", "/b/y", "/c")))
    assert template.text == "cannot open <path> for reading"
    keep = predicate(template.filter)
    assert not keep(Record(timestamp_ns=0, message="cannot open it for reading"))


def test_what_says_other_things_stays_apart() -> None:
    """Short messages that share a word are not one template."""
    texts = {each.text for each in mined("session opened", "session closed", "cache warmed up")}
    assert texts == {"session opened", "session closed", "cache warmed up"}


def test_services_and_example_are_those_of_its_messages() -> None:
    """A template tells who said it, and shows the first of them."""
    rows = [Sampled(5, "info", "a", "job 1"), Sampled(3, "warn", "b", "job 2")]
    [template] = mine(rows).templates
    assert (template.services, template.example) == ({"a": 1, "b": 1}, "job 2")


HOSTILE = {
    "one long word": ["x" * 1_000_000],
    "digits without end": ["1" * 1_000_000, "1." * 500_000, "1s" * 500_000 + "q"],
    "hexadecimal without end": ["a1" * 500_000, "-".join(["deadbeef"] * 100_000)],
    "separators alone": ["-" * 1_000_000, "=,;" * 300_000, " \t\n" * 300_000],
    "times without end": ["2026-01-31T" * 100_000, "12:00:00" * 100_000],
    "a pattern's own letters": ["^(a+)+$" * 1_000, "\\" * 5_000, "[" * 5_000, "(?i)" * 1_000],
    "many words": [" ".join(f"w{n}" for n in range(100_000))],
    "controls": ["".join(map(chr, range(32))) * 1_000, "\x7f\x85\u2028" * 10_000],
    "all different": [f"{chr(97 + n % 26)}{n}q word{n}x w{n * 7}y z{n * 3}k" for n in range(4_000)],
    "all begin otherwise": [f"a{n}q is here" for n in range(4_000)],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_messages_are_bounded(name: str) -> None:
    """Whatever is sent, templates are few and filters short (what is not linear takes hours)."""
    result = mine(sampled(*HOSTILE[name]))
    assert len(result.templates) <= MAX_GROUPS
    for template in result.templates:
        assert len(template.pattern) <= MAX_PATTERN_CHARS
        compile_pattern(template.pattern)
        assert all(len(value.value) <= 200 for token in template.tokens for value in token.values)


def test_a_regex_has_room_for_every_kind() -> None:
    """However a template's words are generalised, its pattern stays within what queries take."""
    for token in ("4", "10.0.0.1", "5ms", "/p", "a", "2026-01-31", "é", "\x01" * 9):
        words = [f"{token} w" * 40, f"{token}x v" * 40]
        for template in mined(*words):
            assert len(template.pattern) <= MAX_PATTERN_CHARS
    assert MAX_REGEX_CHARS < MAX_PATTERN_CHARS
    assert read_shape("a " * 500).open


def test_mining_stops_when_nobody_waits() -> None:
    """Another thread's word is enough to end it."""
    with pytest.raises(Stopped):
        mine(sampled("a", "b"), stopped=lambda: True)


def test_the_first_of_many_patterns() -> None:
    """All patterns are looked for at once, and the first in the list that fits is told."""
    match = first_match([r"^a \d+$", r"^a \S+$", r"b\n"])
    assert [match(text) for text in ("a 1", "a x", "b\n", "c")] == [0, 1, 2, None]
    assert first_match([])("a") is None


# Share of lines in templates that hold exactly the lines that a person put together.
QUALITY = {"Apache": 1.0, "HDFS": 0.99, "OpenSSH": 0.90, "Spark": 0.90, "Zookeeper": 0.97}


@pytest.mark.parametrize("system", QUALITY)
def test_real_logs_fall_into_the_groups_that_people_see(system: str) -> None:
    """2 000 lines of a real system, grouped as by hand, at least so many of them."""
    source = SAMPLES / f"{system}.structured.csv"
    if not source.is_file():
        pytest.skip("the sample logs are not here")
    with source.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    templates = sorted(mined(*(row["Content"] for row in rows)), key=lambda each: -each.literals)
    match = first_match([each.pattern for each in templates])
    truth: defaultdict[str, set[int]] = defaultdict(set)
    found: defaultdict[int | None, set[int]] = defaultdict(set)
    for number, row in enumerate(rows):
        truth[row["EventId"]].add(number)
        found[match(row["Content"])].add(number)
    groups = {frozenset(each) for each in found.values()}
    right = sum(len(each) for each in truth.values() if frozenset(each) in groups)
    assert right / len(rows) >= QUALITY[system]
