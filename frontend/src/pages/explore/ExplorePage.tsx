/** Explore: search, volume, fields, rows, one record. Each of them fails alone. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import type { LogRecord } from "@/api/client";
import { useShared } from "@/app/useShared";
import { LevelHistogram } from "@/charts/LevelHistogram";
import { effectiveQuery } from "@/lib/filters";
import { compact } from "@/lib/format";
import { rememberQuery } from "@/lib/recent";
import { Drawer } from "@/pages/explore/Drawer";
import { deduplicated } from "@/pages/explore/dedup";
import { Empty } from "@/pages/explore/Empty";
import { Facets } from "@/pages/explore/Facets";
import { rowHeight } from "@/pages/explore/layout";
import { pageLink } from "@/pages/explore/links";
import { justAfter } from "@/pages/explore/offsets";
import { Pills } from "@/pages/explore/Pills";
import { pickedWith } from "@/pages/explore/picks";
import { QueryBar } from "@/pages/explore/QueryBar";
import { RecordList } from "@/pages/explore/RecordList";
import type { RowLook } from "@/pages/explore/RecordRow";
import { longerThanADay } from "@/pages/explore/rangeSpan";
import { StatusLine } from "@/pages/explore/StatusLine";
import { TableView } from "@/pages/explore/TableView";
import { Toolbar } from "@/pages/explore/Toolbar";
import { useExplore } from "@/pages/explore/useExplore";
import { useQueryError } from "@/pages/explore/useQueryError";
import { MOST_ROWS, useFields, useRows, useRun, useTable, useVolume } from "@/pages/explore/useResults";
import { useRowKeys } from "@/pages/explore/useRowKeys";
import { Failure } from "@/ui/Panel";
import { ToolButton } from "@/ui/ToolButton";

const DEDUP_ROWS = 10_000;
const NOBODY: ReadonlySet<string> = new Set();

export function ExplorePage() {
  const explore = useExplore();
  const { range, zone, setRange } = useShared();
  const { search, text, pills, columns, change, act } = explore;
  const [run, runAgain] = useRun(text, pills, range);
  const listing = useRows(run);
  const table = useTable(run);
  const volume = useVolume(run);
  const [cancelled, setCancelled] = useState(false);
  const [picked, setPicked] = useState<ReadonlySet<string>>(NOBODY);
  const [lastPick, setLastPick] = useState(-1);
  const [said, setSaid] = useState("");
  const queries = useQueryClient();

  const records = listing.rows;
  const rows = useMemo(() => deduplicated(records, search.dedup), [records, search.dedup]);
  const shown = run.piped ? table : listing;
  const busy = shown.answer.isFetching && !listing.answer.isFetchingNextPage;
  const wrong = useQueryError(
    text,
    pills.some((pill) => !pill.off),
    shown.answer.error,
  );
  const scope = useMemo(
    () => ({ query: effectiveQuery("", pills), from: run.from, to: run.to }),
    [pills, run],
  );
  const ready = shown.data !== undefined && !busy && !wrong;
  const fields = useFields(run, ready);
  const withDate = longerThanADay(run.from, run.to);
  const look: RowLook = useMemo(
    () => ({ columns, wrap: search.wrap, zone, withDate, height: rowHeight(search.rows) }),
    [columns, search.wrap, search.rows, zone, withDate],
  );
  const link = (kind: "relative" | "absolute") => pageLink(run, kind);
  const keys = useRowKeys({
    explore,
    rows,
    link: () => link("absolute"),
    onSaid: setSaid,
    onEscape: () => {
      if (picked.size > 0) setPicked(NOBODY);
      else change({ row: undefined, tab: undefined });
    },
  });

  const start = (typed: string, how: "push" | "replace") => {
    setCancelled(false);
    change({ q: typed }, how);
  };
  const cancel = () => {
    setCancelled(true);
    for (const key of ["search", "table", "histogram", "values", "fields"]) {
      void queries.cancelQueries({ queryKey: [key] });
    }
  };
  const pick = (index: number, many: boolean) => {
    setPicked(pickedWith(picked, rows, index, many ? lastPick : index));
    setLastPick(index);
  };
  const { fetchNextPage, hasNextPage, isFetching, isFetchNextPageError } = listing.answer;
  const full = records.length >= MOST_ROWS;
  // Few of many may be left to show: the whole range is not fetched just to fill the screen.
  const asking = Boolean(search.dedup) && records.length >= DEDUP_ROWS;
  const more = hasNextPage && !full && !asking && !listing.stale;
  const onNearEnd = useCallback(() => {
    if (!isFetching && !isFetchNextPageError) void fetchNextPage();
  }, [fetchNextPage, isFetching, isFetchNextPageError]);
  const pickedRecords = useMemo(
    () =>
      picked.size === 0 ? [] : rows.filter(({ record }) => picked.has(record.id)).map((row) => row.record),
    [rows, picked],
  );

  return (
    <div className="flex h-full flex-col">
      <span role="status" className="sr-only">
        {said}
      </span>
      <div className="flex flex-col gap-2 border-b border-line px-3 py-2">
        <QueryBar
          text={text}
          busy={busy}
          error={wrong}
          scope={scope}
          fields={fields.data?.fields}
          onType={(typed) => start(typed, "replace")}
          onRun={(typed) => {
            rememberQuery(typed);
            if (typed === text) {
              setCancelled(false);
              runAgain();
            } else start(typed, "push");
          }}
          onCancel={cancel}
        />
        <Pills pills={pills} onChange={(f) => change({ f })} />
      </div>
      <div className="border-b border-line bg-panel py-1">
        {volume.data ? (
          <div className={volume.answer.isFetching ? "opacity-60 transition-opacity" : "transition-opacity"}>
            <LevelHistogram
              answer={volume.data}
              zone={zone}
              onRange={(from, to) => setRange({ from, to })}
              height={88}
            />
          </div>
        ) : volume.answer.isError ? (
          wrong ? null : (
            <div className="px-3">
              <Failure query={volume.answer} />
            </div>
          )
        ) : (
          <div className="h-[108px]" />
        )}
      </div>
      <div className="relative flex min-h-0 flex-1">
        {search.facets ? null : (
          <Facets
            run={run}
            text={text}
            pills={pills}
            columns={columns}
            ready={ready}
            fields={fields}
            besideDrawer={search.row !== undefined && !run.piped}
            act={act}
          />
        )}
        <section aria-label="Results" className="flex min-w-0 flex-1 flex-col bg-panel">
          <div className="flex h-9 shrink-0 items-center gap-2 border-b border-line pr-2 pl-1.5">
            <ToolButton
              icon="filter"
              size={14}
              pressed={!search.facets}
              label={search.facets ? "Show the fields (f)" : "Hide the fields (f)"}
              onClick={() => change({ facets: search.facets ? undefined : "hidden" })}
            />
            <StatusLine
              busy={busy}
              cancelled={cancelled && !busy}
              piped={run.piped}
              loaded={run.piped ? (table.data?.records.length ?? 0) : records.length}
              matched={volume.data && !volume.answer.isPlaceholderData ? volume.data.total : null}
              scanned={(run.piped ? table.data : listing.data?.pages[0])?.stats.scanned ?? null}
              elapsedMs={(run.piped ? table.data : listing.data?.pages[0])?.stats.elapsed_ms ?? null}
            />
            <span className="ml-auto" />
            <Toolbar
              explore={explore}
              run={run}
              range={range}
              picked={pickedRecords}
              loaded={records}
              link={link}
              onUnpick={() => setPicked(NOBODY)}
            />
          </div>
          {results()}
        </section>
        {search.row && !run.piped ? (
          <Drawer
            row={search.row}
            listed={keys.openId === keys.current?.id ? keys.current : undefined}
            tab={search.tab}
            zone={zone}
            columns={columns}
            act={act}
            onTab={(tab) => change({ tab }, "replace")}
            onStep={keys.step}
            onOpen={(record: LogRecord) => keys.open(record)}
            onClose={() => change({ row: undefined, tab: undefined })}
            link={() => link("absolute")}
          />
        ) : null}
      </div>
    </div>
  );

  function results() {
    if (shown.answer.isError && !wrong && !isFetchNextPageError) {
      return (
        <>
          <div className="px-3">
            <Failure query={shown.answer} />
          </div>
          {shown.data ? list() : null}
        </>
      );
    }
    if (!shown.data) {
      return wrong ? (
        <p className="p-6 text-center text-mute">The query above has to be mended first.</p>
      ) : (
        <Waiting />
      );
    }
    return list();
  }

  function list() {
    if (run.piped) return table.data ? <TableView rows={table.data.records} stale={table.stale} /> : null;
    if (records.length === 0 && !listing.stale && !busy) {
      return (
        <div className="min-h-0 flex-1 overflow-auto">
          <Empty
            text={text}
            pills={pills}
            range={range}
            onText={(q) => change({ q })}
            onPills={(f) => change({ f })}
            onRange={setRange}
          />
        </div>
      );
    }
    return (
      <RecordList
        rows={rows}
        look={look}
        stale={listing.stale}
        cursor={keys.cursor}
        openId={keys.openId}
        picked={picked}
        searchKey={`${run.query}\0${run.from}\0${run.to}`}
        more={more}
        footer={footer()}
        act={act}
        onColumns={(cols) => change({ cols })}
        onOpen={keys.openAt}
        onPick={pick}
        onMove={keys.move}
        onNearEnd={onNearEnd}
      />
    );
  }

  function footer() {
    if (isFetchNextPageError)
      return <Failure query={{ ...listing.answer, refetch: fetchNextPage as never }} />;
    if (full && hasNextPage) {
      return (
        <>
          {compact(records.length)} rows are kept here.{" "}
          <button type="button" className="text-accent hover:underline" onClick={goOn}>
            Go on with older ones
          </button>
        </>
      );
    }
    if (asking && hasNextPage) {
      return (
        <>
          {compact(records.length)} rows looked through.{" "}
          <button type="button" className="text-accent hover:underline" onClick={onNearEnd}>
            {isFetching ? "Looking…" : "Look through older ones"}
          </button>
        </>
      );
    }
    return hasNextPage ? "Loading more…" : "No older records in this time range";
  }

  function goOn() {
    const oldest = records.at(-1);
    if (oldest) setRange({ from: run.from, to: justAfter(oldest.timestamp) });
  }
}

function Waiting() {
  return (
    <div aria-busy="true" className="flex-1 space-y-2 px-3 py-3">
      {[72, 58, 80, 44, 66, 52].map((width) => (
        <div key={width} className="h-3 animate-pulse rounded bg-raised" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}
