/** What a search gave: rows or a table, or why there are none; old rows stay while new ones are asked for. */
import { useCallback } from "react";
import { ApiError } from "@/api/client";
import { compact } from "@/lib/format";
import { resolveMs, type TimeRange } from "@/lib/time";
import type { Row } from "@/pages/explore/dedup";
import { justAfter } from "@/pages/explore/offsets";
import { RecordList } from "@/pages/explore/RecordList";
import type { RowLook } from "@/pages/explore/RecordRow";
import { StaleNote } from "@/pages/explore/StaleNote";
import type { Explore } from "@/pages/explore/useExplore";
import { MOST_ROWS, type Rows, type Run, type Table } from "@/pages/explore/useResults";
import type { useRowKeys } from "@/pages/explore/useRowKeys";
import { later } from "@/ui/later";
import { Failure } from "@/ui/Panel";

const Empty = later(() => import("@/pages/explore/Empty").then((module) => module.Empty));
const TableView = later(() => import("@/pages/explore/TableView").then((module) => module.TableView));

const DEDUP_ROWS = 10_000;

interface ResultsProps {
  readonly explore: Explore;
  readonly run: Run;
  /** As the URL has it, relative or not. */
  readonly range: TimeRange;
  readonly listing: Rows;
  readonly table: Table;
  readonly rows: readonly Row[];
  readonly look: RowLook;
  readonly keys: ReturnType<typeof useRowKeys>;
  readonly picked: ReadonlySet<string>;
  /** The query does not parse, which is said above. */
  readonly wrong: boolean;
  readonly busy: boolean;
  readonly onPick: (index: number, many: boolean) => void;
  readonly onRange: (range: TimeRange) => void;
}

export function Results(props: ResultsProps) {
  const { explore, run, range, listing, table, rows, look, keys, picked, wrong, busy, onRange } = props;
  const { search, text, pills, change, act } = explore;
  const shown = run.piped ? table : listing;
  const records = listing.rows;
  const { fetchNextPage, hasNextPage, isFetching, isFetchNextPageError } = listing.answer;
  const full = records.length >= MOST_ROWS;
  // Few of many may be left to show: the whole range is not fetched just to fill the screen.
  const asking = Boolean(search.dedup) && records.length >= DEDUP_ROWS;
  const more = hasNextPage && !full && !asking && !listing.stopped && !listing.stale;
  const onNearEnd = useCallback(() => {
    if (!isFetching && !isFetchNextPageError) void fetchNextPage();
  }, [fetchNextPage, isFetching, isFetchNextPageError]);
  if (shown.answer.isError && !wrong && !isFetchNextPageError) {
    const { error } = shown.answer;
    // What is no answer of the API's own never reached it.
    const unheard = !(error instanceof ApiError) || error.body.code === "unreadable";
    const away = shown.data !== undefined && unheard;
    return (
      <>
        {away ? (
          <StaleNote query={shown.answer} shownAt_ms={shown.shownAt_ms} />
        ) : (
          <div className="px-3">
            <Failure query={shown.answer} />
          </div>
        )}
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

  function list() {
    if (run.piped)
      return table.data ? (
        <TableView
          rows={table.data.records}
          asked={{
            query: run.query,
            from_ms: resolveMs(run.from, run.askedAt_ms) ?? 0,
            to_ms: resolveMs(run.to, run.askedAt_ms) ?? run.askedAt_ms,
          }}
          stale={table.stale}
          sort={search.sort}
          bars={search.bars}
          onChange={change}
        />
      ) : null;
    if (records.length === 0 && listing.stopped && !busy) {
      return (
        <p className="flex-1 p-6 text-center text-mute">Stopped before anything was found. {goOnButton()}</p>
      );
    }
    if (records.length === 0 && !listing.stale && !busy) {
      return (
        <div className="min-h-0 flex-1 overflow-auto">
          <Empty
            text={text}
            pills={pills}
            range={range}
            onText={(q) => change({ q })}
            onPills={(f) => change({ f })}
            onRange={onRange}
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
        onWidths={(widths) => change({ widths }, "replace")}
        onOpen={keys.openAt}
        onPick={props.onPick}
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
    if (listing.stopped) return <>Stopped here. {goOnButton()}</>;
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

  function goOnButton() {
    return (
      <button type="button" className="text-accent hover:underline" onClick={onNearEnd}>
        {isFetching ? "Searching…" : "Go on searching"}
      </button>
    );
  }

  function goOn() {
    const oldest = records.at(-1);
    if (oldest) onRange({ from: run.from, to: justAfter(oldest.timestamp) });
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
