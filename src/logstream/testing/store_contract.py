"""The store's laws as tests: subclass `StoreContract` and say how a store is made.

::

    class TestMyStore(StoreContract):
        @pytest.fixture
        async def store(self): ...   # yields a started, empty store
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random

import pyarrow as pa
import pytest

from logstream.clock import NS_PER_S
from logstream.errors import QueryError, RecordsRejected
from logstream.query import Everything, Filter, parse
from logstream.query.evaluate import evaluate, predicate
from logstream.record import SCHEMA, Record, batch_of, records_of
from logstream.store.base import Cursor, QueryLimits, Store, StoredRecord, TimeRange
from logstream.timestamps import MAX_TIMESTAMP_NS, MIN_TIMESTAMP_NS

__all__ = ["ALL_TIME", "START_NS", "StoreContract", "every_page", "log", "logs"]

START_NS = 1_700_000_000 * NS_PER_S
"""2023-11-14T22:13:20Z."""
ALL_TIME = TimeRange(0, 1 << 63)
_DAY_NS = 86_400 * NS_PER_S
_EVERYTHING = Everything()
_LEVELS = (("info", 9), ("error", 17), ("", 0), ("warn", 13))


def log(number: int, *, at_ns: int | None = None) -> Record:
    """A record that can be told from others; one a second unless ``at_ns`` says otherwise."""
    level, severity = _LEVELS[number % 4]
    return Record(
        timestamp_ns=START_NS + number * NS_PER_S if at_ns is None else at_ns,
        message=f"request {number} took {number % 10}ms",
        level=level,
        severity_number=severity,
        service=("api", "web", "")[number % 3],
        attributes={"number": str(number), "host": f"node-{number % 5}"},
        resource={"region": "eu"} if number % 2 else {},
    )


def logs(count: int, *, at_ns: int | None = None) -> list[Record]:
    """The first so many of `log`."""
    return [log(number, at_ns=at_ns) for number in range(count)]


def where(text: str) -> Filter:
    """The filter that a query's text means."""
    return parse(text).filter


async def every_page(
    store: Store, filter: Filter = _EVERYTHING, between: TimeRange = ALL_TIME, *, limit: int = 7
) -> list[StoredRecord]:
    """Follow the cursor to its end."""
    rows: list[StoredRecord] = []
    cursor: Cursor | None = None
    while True:
        page = await store.search(filter, between, limit=limit, cursor=cursor, count=False)
        assert len(page.records) <= limit
        rows += page.records
        cursor = page.next_cursor
        if cursor is None:
            return rows


def newest_first(records: Sequence[Record]) -> list[Record]:
    return sorted(records, key=lambda record: -record.timestamp_ns)


class StoreContract:
    """Laws of `logstream.store.base.Store`."""

    many_days = 250
    """How many days one batch may span; each is a part of its own where days are partitions."""

    # Exactly once

    async def test_what_is_inserted_is_found_whole(self, store: Store) -> None:
        """Every field of a record comes back as it went in, whatever its text holds."""
        odd = "a\0b\n\t\\ '\"`{p0:String} 日本 \u2028 \U0001f600"
        record = Record(
            timestamp_ns=START_NS + 123_456_789,
            message=odd,
            level="error",
            severity_number=18,
            service="svc " + odd,
            trace_id="t" * 32,
            span_id="s" * 16,
            trace_flags=255,
            event_name=odd,
            attributes={odd: odd, "": "", "empty": ""},
            resource={"k8s.pod": odd},
            resource_schema_url="https://r",
            scope_name=odd,
            scope_version="1",
            scope_schema_url="https://s",
            scope_attributes={"a": odd},
        )
        await store.insert(batch_of([record]), group=5, first_row=3)
        page = await store.search(_EVERYTHING, ALL_TIME, limit=10)
        assert page.records == [StoredRecord(5 << 20 | 3, record)]
        assert page.next_cursor is None
        assert page.stats.matched == 1

    async def test_columns_left_out_are_empty(self, store: Store) -> None:
        """A batch with only the required columns is stored with empty values for the rest."""
        batch = batch_of([log(1)]).select(["Timestamp", "Body"])
        await store.insert(batch, group=1)
        [row] = await every_page(store)
        assert row.record == Record(timestamp_ns=log(1).timestamp_ns, message=log(1).message)

    async def test_a_repeated_insert_stores_each_row_once(self, store: Store) -> None:
        """The same group inserted again, verified or not, adds nothing."""
        batch = batch_of(logs(20))
        await store.insert(batch, group=1)
        await store.insert(batch, group=1)
        again = await store.insert(batch, group=1, verify=True)
        assert (again.inserted, again.present) == (0, 20)
        assert len(await every_page(store)) == 20

    async def test_verify_writes_only_what_is_missing(self, store: Store) -> None:
        """A group of which some rows got through is completed."""
        batch = batch_of(logs(20))
        await store.insert(batch.slice(5, 7), group=1, first_row=5)
        result = await store.insert(batch, group=1, verify=True)
        assert (result.inserted, result.present) == (13, 7)
        rows = await every_page(store)
        assert [row.record for row in rows] == newest_first(logs(20))
        assert sorted(row.id for row in rows) == [1 << 20 | row for row in range(20)]

    async def test_a_prefix_that_got_through_is_completed(self, store: Store) -> None:
        """The first rows of a group, written alone, never stand for the whole of it: not of one
        day, and not of another day that they did not reach."""
        rows = [*logs(20), *(log(n, at_ns=START_NS + _DAY_NS + n) for n in range(5))]
        batch = batch_of(rows)
        await store.insert(batch.slice(0, 10), group=1)
        result = await store.insert(batch, group=1, verify=True)
        assert (result.inserted, result.present) == (15, 10)
        found = await every_page(store)
        assert sorted(row.id for row in found) == [1 << 20 | row for row in range(25)]
        again = await store.insert(batch, group=1, verify=True)
        assert (again.inserted, again.present) == (0, 25)

    async def test_twins_are_both_kept(self, store: Store) -> None:
        """Records of equal content, in one group or in two, are all stored."""
        twins = batch_of([log(1), log(1)])
        await store.insert(twins, group=1)
        await store.insert(twins, group=2)
        assert len({row.id for row in await every_page(store)}) == 4

    async def test_an_empty_batch_is_nothing(self, store: Store) -> None:
        """A batch without rows inserts nothing and is no error."""
        result = await store.insert(batch_of([]), group=1)
        assert (result.inserted, result.present) == (0, 0)
        assert (await store.stats()).rows == 0

    async def test_many_days_in_one_batch(self, store: Store) -> None:
        """A batch of far more days than one insert may have is stored once, also repeated."""
        days = range(-self.many_days // 2, self.many_days // 2)
        batch = batch_of([log(day, at_ns=START_NS + day * _DAY_NS) for day in days])
        await store.insert(batch, group=1)
        again = await store.insert(batch, group=1, verify=True)
        assert (again.inserted, again.present) == (0, self.many_days)
        stats = await store.stats()
        assert (stats.rows, len(stats.days)) == (self.many_days, self.many_days)
        page = await store.search(where("number:77"), ALL_TIME, limit=2)
        assert [row.record.attributes["number"] for row in page.records] == ["77"]

    async def test_a_bad_batch_is_rejected_and_the_store_goes_on(self, store: Store) -> None:
        """Data that is not what the column holds is the data's fault; the next batch is stored."""
        good = batch_of(logs(2))
        names = ["Timestamp", "Body"]
        bad = pa.RecordBatch.from_arrays([pa.array(["never"]), pa.array(["x"])], names=names)
        with pytest.raises(RecordsRejected):
            await store.insert(bad, group=1)
        await store.insert(good, group=2)
        assert len(await every_page(store)) == 2

    # Search and pages

    async def test_an_empty_store_answers(self, store: Store) -> None:
        """Nothing stored is an answer, not an error."""
        page = await store.search(_EVERYTHING, ALL_TIME, limit=5)
        assert (page.records, page.next_cursor, page.stats.matched) == ([], None, 0)
        stats = await store.stats()
        assert (stats.rows, stats.bytes, stats.oldest_ns, stats.days) == (0, 0, None, [])
        assert await store.fields(_EVERYTHING, ALL_TIME) == []
        facets = await store.facets(_EVERYTHING, ALL_TIME, fields=["service"])
        assert facets == {"service": []}

    async def test_newest_first(self, store: Store) -> None:
        """Rows come by time, and by id where times are equal, newest first."""
        await store.insert(batch_of(logs(10)), group=2)
        await store.insert(batch_of(logs(10)), group=1)
        rows = await every_page(store)
        keys = [(row.record.timestamp_ns, row.id) for row in rows]
        assert keys == sorted(keys, reverse=True)
        assert len(keys) == 20

    async def test_ranges_are_half_open(self, store: Store) -> None:
        """A range holds its start and not its end."""
        await store.insert(batch_of(logs(10)), group=1)
        between = TimeRange(log(2).timestamp_ns, log(5).timestamp_ns)
        rows = await every_page(store, between=between)
        assert [row.record for row in rows] == [log(4), log(3), log(2)]

    async def test_the_ends_of_time_are_found(self, store: Store) -> None:
        """The first and the last moment that can be stored are found, counted and dated."""
        rows = [log(0, at_ns=MIN_TIMESTAMP_NS), log(1, at_ns=MAX_TIMESTAMP_NS)]
        await store.insert(batch_of(rows), group=1)
        found = await every_page(store)
        assert [row.record for row in found] == rows[::-1]
        page = await store.search(_EVERYTHING, ALL_TIME, limit=10)
        assert page.stats.matched == 2
        assert [day.day for day in (await store.stats()).days] == ["1970-01-01", "2149-06-06"]

    async def test_matched_counts_all_pages(self, store: Store) -> None:
        """The count says how many match in all, on every page, and only when asked for."""
        await store.insert(batch_of(logs(40)), group=1)
        errors = where("level:error")
        page = await store.search(errors, ALL_TIME, limit=3)
        assert page.stats.matched == 10
        following = await store.search(errors, ALL_TIME, limit=3, cursor=page.next_cursor)
        assert following.stats.matched == 10
        uncounted = await store.search(errors, ALL_TIME, limit=3, count=False)
        assert uncounted.stats.matched is None

    async def test_pages_neither_repeat_nor_skip(self, store: Store) -> None:
        """Pages visit each row once, of equal timestamps too, while newer rows arrive."""
        await store.insert(batch_of(logs(30, at_ns=START_NS)), group=1)
        await store.insert(batch_of(logs(30, at_ns=START_NS)), group=3)
        expected = {row.id for row in await every_page(store, limit=100)}
        seen: list[int] = []
        cursor: Cursor | None = None
        for group in range(10, 100):
            page = await store.search(_EVERYTHING, ALL_TIME, limit=7, cursor=cursor, count=False)
            seen += [row.id for row in page.records]
            cursor = page.next_cursor
            if cursor is None:
                break
            await store.insert(batch_of(logs(2, at_ns=START_NS)), group=group)
        assert len(seen) == len(set(seen))
        assert expected <= set(seen)

    # Counts

    async def test_the_histogram_adds_up(self, store: Store) -> None:
        """Buckets start at multiples of the interval, and their counts sum up to the matches."""
        await store.insert(batch_of(logs(50)), group=1)
        between = TimeRange(log(5).timestamp_ns, log(45).timestamp_ns)
        buckets = await store.histogram(_EVERYTHING, between, interval_ns=7 * NS_PER_S)
        starts = [bucket.start_ns for bucket in buckets]
        assert starts == sorted(starts)
        assert all(start_ns % (7 * NS_PER_S) == 0 for start_ns in starts)
        assert sum(sum(bucket.counts.values()) for bucket in buckets) == 40
        levels = {level for bucket in buckets for level in bucket.counts}
        assert levels == {"info", "error", "warn", ""}

    async def test_a_histogram_may_have_bars_of_a_nanosecond(self, store: Store) -> None:
        """Intervals as short as the clock's step count each moment by itself, by level and by a
        field alike."""
        moments = [START_NS, START_NS + 1, START_NS + 1, START_NS + 9]
        await store.insert(batch_of([log(0, at_ns=at_ns) for at_ns in moments]), group=1)
        between = TimeRange(START_NS, START_NS + 10)
        for by in ("level", "number"):
            buckets = await store.histogram(_EVERYTHING, between, interval_ns=1, by=by)
            counts = {bucket.start_ns: sum(bucket.counts.values()) for bucket in buckets}
            assert counts == {START_NS: 1, START_NS + 1: 2, START_NS + 9: 1}

    async def test_the_histogram_by_a_field_keeps_its_commonest(self, store: Store) -> None:
        """Split by a field, the ten commonest values stand alone and the rest are "other"."""
        records = [*logs(15), log(0), log(0, at_ns=START_NS + 1)]
        await store.insert(batch_of(records), group=1)
        [bucket] = await store.histogram(
            _EVERYTHING, ALL_TIME_OF_LOGS, interval_ns=400 * _DAY_NS, by="number"
        )
        assert bucket.counts["0"] == 3
        assert bucket.counts["other"] == 5
        assert len(bucket.counts) == 11

    async def test_too_many_bars_are_refused(self, store: Store) -> None:
        """A histogram of more than 10 000 bars, or of none, is the asker's mistake."""
        for interval_ns in (1, 0, -1):
            with pytest.raises(QueryError):
                await store.histogram(_EVERYTHING, ALL_TIME, interval_ns=interval_ns)

    async def test_facets_count_values(self, store: Store) -> None:
        """A facet lists the commonest values first, ties by value, rows without it left out."""
        await store.insert(batch_of(logs(10)), group=1)
        facets = await store.facets(
            where("took"),
            ALL_TIME,
            fields=["service", "level", "host", "region", "absent"],
            limit=2,
        )
        pairs = {name: [(v.value, v.count) for v in values] for name, values in facets.items()}
        assert pairs == {
            "service": [("api", 4), ("web", 3)],
            "level": [("error", 3), ("info", 3)],
            "host": [("node-0", 2), ("node-1", 2)],
            "region": [("eu", 5)],
            "absent": [],
        }

    async def test_field_values_start_with_the_prefix(self, store: Store) -> None:
        """Values are found by prefix, case-sensitively, and as literal text."""
        await store.insert(batch_of(logs(25)), group=1)
        values = await store.field_values("number", "2", _EVERYTHING, ALL_TIME, limit=3)
        assert [value.value for value in values] == ["2", "20", "21"]
        for prefix in ("Node", "%", "nod_"):
            assert await store.field_values("host", prefix, _EVERYTHING, ALL_TIME) == []

    async def test_counts_agree_with_the_rows_wherever_a_range_ends(self, store: Store) -> None:
        """Numbers by time, level and service are those of the rows, however they are kept, for
        ranges that begin and end anywhere."""
        rng = Random(0)  # noqa: S311 – reproducible on purpose
        stored = [log(n, at_ns=START_NS + rng.randrange(90 * NS_PER_S)) for n in range(400)]
        for group, start in enumerate(range(0, 400, 100), 1):
            await store.insert(batch_of(stored[start : start + 100]), group=group)
        for text in ("*", "level:>=warn", "NOT service:api level:error OR service:web"):
            first_ns, last_ns = sorted(rng.randrange(-5, 95) * NS_PER_S + 1 for _ in range(2))
            between = TimeRange(START_NS + first_ns, START_NS + last_ns)
            inside = [r for r in stored if between.start_ns <= r.timestamp_ns < between.end_ns]
            for pipes in _COUNTS:
                query = parse(f"{text} | {pipes}")
                result = await store.table(query, between)
                assert result.rows == evaluate(query, inside).rows, (text, pipes)
            await _counts_agree(store, where(text), between, inside)

    async def test_patterns_are_counted_by_the_first_that_fits(self, store: Store) -> None:
        """A store that can counts every matching row once, by interval, level and first pattern."""
        await store.insert(batch_of([*logs(30), log(30, at_ns=START_NS - 1)]), group=1)
        patterns = [r"^request [1-9] took \d+ms$", r"^request \d+ took [0-4]ms$", r"^\s*$"]
        found = await store.count_patterns(
            where("request"),
            TimeRange(START_NS, START_NS + 30 * NS_PER_S),
            patterns,
            interval_ns=10 * NS_PER_S,
        )
        if found is None:
            pytest.skip("this store leaves it to estimates")
        assert [each.start_ns for each in found] == sorted(each.start_ns for each in found)
        totals: Counter[tuple[int | None, str]] = Counter()
        for each in found:
            assert each.start_ns % (10 * NS_PER_S) == 0
            assert each.start_ns <= each.first_ns <= each.last_ns < each.start_ns + 10 * NS_PER_S
            totals[each.pattern, each.level] += each.count
        expected: Counter[tuple[int | None, str]] = Counter()
        for record in logs(30):
            number = int(record.attributes["number"])
            fits = 0 if 1 <= number <= 9 else 1 if number % 10 <= 4 else None
            expected[fits, record.level] += 1
        assert totals == expected

    async def test_fields_that_occur(self, store: Store) -> None:
        """Fields are named as a query would write them, with how often they occur."""
        tricky = Record(timestamp_ns=START_NS, attributes={"level": "x", "a b": "1e999"})
        await store.insert(batch_of([*logs(4), tricky]), group=1)
        found = {info.name: (info.count, info.numeric) for info in await store.fields(
            _EVERYTHING, ALL_TIME
        )}  # fmt: skip
        assert found == {
            "timestamp": (5, False),
            "message": (4, False),
            "number": (4, True),
            "host": (4, False),
            "level": (3, False),
            "severity_number": (3, True),
            "service": (3, False),
            "resource.region": (2, False),
            '"level"': (1, False),
            '"a b"': (1, False),
        }

    # Context, export, tables

    async def test_context_is_what_stands_around(self, store: Store) -> None:
        """Neighbours match the filter and come oldest first; the record itself always comes."""
        await store.insert(batch_of(logs(20)), group=1)
        anchor = Cursor(log(10).timestamp_ns, 1 << 20 | 10)
        before, itself, after = await store.context(anchor, where("host:node-1"), before=1, after=9)
        assert [row.record for row in before] == [log(6)]
        assert itself is not None
        assert itself.record == log(10)
        assert [row.record for row in after] == [log(11), log(16)]
        nowhere = Cursor(anchor.timestamp_ns, 99)
        assert (await store.context(nowhere, _EVERYTHING, before=0, after=0)) == ([], None, [])

    async def test_export_gives_everything_oldest_first(self, store: Store) -> None:
        """An export streams each matching row once, with every column."""
        await store.insert(batch_of(logs(50)), group=1)
        batches = [batch async for batch in store.export(where("NOT level:error"), ALL_TIME)]
        assert all(batch.schema.equals(SCHEMA) for batch in batches)
        rows = [record for batch in batches for record in records_of(batch)]
        assert rows == [record for record in logs(50) if record.level != "error"]

    async def test_a_scan_goes_on_where_another_ended(self, store: Store) -> None:
        """From the start, behind a batch or behind any row: what is left, each once, in order."""
        await store.insert(batch_of(logs(30, at_ns=START_NS)), group=3)
        await store.insert(batch_of(logs(30)), group=1)
        rows = (await every_page(store, where("NOT number:7")))[::-1]

        async def scanned(after: Cursor | None) -> list[Record]:
            found = []
            async for each in store.scan(where("NOT number:7"), ALL_TIME, after=after):
                assert each.batch.schema.equals(SCHEMA)
                found += records_of(each.batch)
                last = rows[len(rows) - len(expected) + len(found) - 1]
                assert each.end == Cursor(last.record.timestamp_ns, last.id)
            return found

        for first in (0, 1, 29, 30, 31, len(rows) - 1, len(rows)):
            expected = [row.record for row in rows[first:]]
            before = rows[first - 1] if first else None
            after = None if before is None else Cursor(before.record.timestamp_ns, before.id)
            assert await scanned(after) == expected

    async def test_pipes_make_a_table(self, store: Store) -> None:
        """A query with pipes answers named columns and rows in order."""
        await store.insert(batch_of(logs(20)), group=1)
        query = parse("took | stats count() n, avg(number) as mean by host | sort host | limit 2")
        result = await store.table(query, ALL_TIME)
        assert result.columns == ("host", "n", "mean")
        assert [tuple(row) for row in result.rows] == [("node-0", 4, 7.5), ("node-1", 4, 8.5)]

    async def test_explain_is_text(self, store: Store) -> None:
        """A person can read what would be run, with pipes and without."""
        for text in ("took level:error", "* | stats count() by service"):
            assert await store.explain(parse(text), ALL_TIME)

    async def test_progress_is_told_only_of_what_runs(self, store: Store) -> None:
        """Whatever is told of a running query, rows read only grow and never pass the total;
        before, afterwards and of others there is nothing to tell."""
        await store.insert(batch_of(logs(50)), group=1)
        assert await store.progress("slow") is None
        limits = QueryLimits(name="slow")
        query = parse("/req.*9ms/ | stats count() by number, host, service")
        asking = asyncio.ensure_future(store.table(query, ALL_TIME, limits=limits))
        told = []
        while not asking.done():
            told.append(await store.progress("slow"))
            assert await store.progress("another") is None
            assert await store.progress("") is None
            await asyncio.sleep(0)
        assert (await asking).rows
        assert await store.progress("slow") is None
        known = [each for each in told if each is not None]
        assert [each.read_rows for each in known] == sorted(each.read_rows for each in known)
        for each in known:
            assert each.read_rows >= 0
            assert each.elapsed_s >= 0
            assert each.total_rows is None or each.total_rows >= each.read_rows

    async def test_a_pattern_that_does_not_compile_is_the_askers_mistake(
        self, store: Store
    ) -> None:
        """A bad regular expression is a `QueryError`, and the store goes on."""
        with pytest.raises(QueryError):
            await store.search(where("/(/"), ALL_TIME, limit=1)
        assert (await store.search(_EVERYTHING, ALL_TIME, limit=1)).records == []

    # Size and age

    async def test_stats_by_day(self, store: Store) -> None:
        """Stats say how many rows there are in all and by day, and from when to when."""
        records = [log(0), log(1), log(2, at_ns=START_NS + _DAY_NS)]
        await store.insert(batch_of(records), group=1)
        stats = await store.stats()
        assert stats.rows == 3
        assert stats.bytes == sum(day.bytes for day in stats.days) > 0
        assert (stats.oldest_ns, stats.newest_ns) == (START_NS, START_NS + _DAY_NS)
        assert [(day.day, day.rows) for day in stats.days] == [("2023-11-14", 2), ("2023-11-15", 1)]

    async def test_retention_by_age(self, store: Store) -> None:
        """Days that ended longer ago than the age go, whole, and no others."""
        await _four_days(store)
        dropped = await store.enforce_retention(
            now_ns=START_NS + 3 * _DAY_NS, max_age_s=86_400, max_bytes=0
        )
        assert dropped == ["2023-11-14", "2023-11-15"]
        assert [day.day for day in (await store.stats()).days] == ["2023-11-16", "2023-11-17"]
        assert len(await every_page(store)) == 2

    async def test_retention_by_size_never_drops_today(self, store: Store) -> None:
        """Over the size limit the oldest days go until it fits; today's stays whatever it is."""
        await _four_days(store)
        size = (await store.stats()).bytes
        now_ns, age_s = START_NS + 3 * _DAY_NS, 1e9
        dropped = await store.enforce_retention(now_ns=now_ns, max_age_s=age_s, max_bytes=size - 1)
        assert dropped == ["2023-11-14"]
        dropped = await store.enforce_retention(now_ns=now_ns, max_age_s=age_s, max_bytes=1)
        assert dropped == ["2023-11-15", "2023-11-16"]
        assert [day.day for day in (await store.stats()).days] == ["2023-11-17"]

    # Many at once

    async def test_many_callers_at_once(self, store: Store) -> None:
        """More queries and inserts than there are connections all get their answers."""
        await store.insert(batch_of(logs(10)), group=1)
        inserts = [store.insert(batch_of(logs(2)), group=10 + n) for n in range(5)]
        searches = [store.search(where(f"number:{n}"), ALL_TIME, limit=1) for n in range(10)]
        pages, _ = await asyncio.gather(asyncio.gather(*searches), asyncio.gather(*inserts))
        assert [page.records[0].record.attributes["number"] for page in pages] == [
            str(n) for n in range(10)
        ]
        assert (await store.stats()).rows == 20

    async def test_ping_and_closing_twice(self, store: Store) -> None:
        """A store that runs answers a ping, and may be closed more than once."""
        await store.ping()
        await store.close()
        await store.close()


ALL_TIME_OF_LOGS = TimeRange(START_NS - _DAY_NS, START_NS + _DAY_NS)


_COUNTS = (
    "stats count() n by service, bin(20s)",
    "stats count() n by bin(7s)",
    "stats uniq(service), count(), uniq(severity_number) by level",
    "stats uniq(service) services by bin(10s)",
    "stats count(), max(severity_number) by service",
    "stats count() n by level | stats count(), sum(n)",
    "top 3 service",
    "top 2 level",
)


async def _counts_agree(
    store: Store, filter: Filter, between: TimeRange, inside: Sequence[Record]
) -> None:
    keep = predicate(filter)
    matching = [record for record in inside if keep(record)]
    page = await store.search(filter, between, limit=1)
    assert page.stats.matched == len(matching)
    facets = await store.facets(filter, between, fields=["service", "level"])
    for name, values in facets.items():
        counts = Counter(getattr(record, name) for record in matching)
        del counts[""]
        assert {each.value: each.count for each in values} == counts
    for by, seconds in (("level", 10), ("level", 7), ("service", 30)):
        width_ns = seconds * NS_PER_S
        buckets = await store.histogram(filter, between, interval_ns=width_ns, by=by)
        told = {(b.start_ns, value): n for b in buckets for value, n in b.counts.items()}
        assert told == Counter(
            (record.timestamp_ns // width_ns * width_ns, getattr(record, by)) for record in matching
        )


async def _four_days(store: Store) -> None:
    for day in range(4):
        await store.insert(batch_of([log(day, at_ns=START_NS + day * _DAY_NS)]), group=day + 1)
