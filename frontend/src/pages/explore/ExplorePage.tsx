/** Explore: search, volume, fields, rows, one record. Each of them fails alone. */
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { LogRecord } from "@/api/client";
import { useShared } from "@/app/useShared";
import { effectiveQuery, ranged } from "@/lib/filters";
import { rememberQuery } from "@/lib/recent";
import type { TimeRange } from "@/lib/time";
import { deduplicated } from "@/pages/explore/dedup";
import { Facets } from "@/pages/explore/Facets";
import { rowHeight } from "@/pages/explore/layout";
import { pageLink } from "@/pages/explore/links";
import { PartNote } from "@/pages/explore/PartNote";
import { Pills } from "@/pages/explore/Pills";
import { pickedWith } from "@/pages/explore/picks";
import { QueryBar } from "@/pages/explore/QueryBar";
import type { RowLook } from "@/pages/explore/RecordRow";
import { Results } from "@/pages/explore/Results";
import { longerThanADay } from "@/pages/explore/rangeSpan";
import { StatusLine } from "@/pages/explore/StatusLine";
import { partOf, stretchText } from "@/pages/explore/stretch";
import { Toolbar } from "@/pages/explore/Toolbar";
import { useExplore } from "@/pages/explore/useExplore";
import { useFieldsShown } from "@/pages/explore/useFieldsShown";
import { useQueryError } from "@/pages/explore/useQueryError";
import { useFields, useRows, useRun, useTable, useVolume } from "@/pages/explore/useResults";
import { useRowKeys } from "@/pages/explore/useRowKeys";
import { Volume } from "@/pages/explore/Volume";
import { later } from "@/ui/later";
import { ToolButton } from "@/ui/ToolButton";

const Drawer = later(() => import("@/pages/explore/Drawer").then((module) => module.Drawer));
const FieldHint = later(() => import("@/pages/explore/FieldHint").then((module) => module.FieldHint));
const ComparePanel = later(() =>
  import("@/pages/explore/ComparePanel").then((module) => module.ComparePanel),
);

const NOTHING_TURNED: readonly string[] = [];
const NOBODY: ReadonlySet<string> = new Set();

export function ExplorePage() {
  const explore = useExplore();
  const { range, zone, setRange } = useShared();
  const { search, text, pills, columns, change, act } = explore;
  const [whole, runAgain] = useRun(text, pills, range);
  const part = useMemo(() => partOf(search.part, whole), [search.part, whole]);
  const compared = useMemo(() => partOf(search.compare, whole), [search.compare, whole]);
  // The volume is always that of the whole range; rows may be those of a part of it.
  const run = useMemo(() => (part ? { ...whole, ...part } : whole), [whole, part]);
  const listing = useRows(run);
  const table = useTable(run);
  const volume = useVolume(whole);
  const [cancelled, setCancelled] = useState(false);
  const [picked, setPicked] = useState<ReadonlySet<string>>(NOBODY);
  const [lastPick, setLastPick] = useState(-1);
  const [said, setSaid] = useState("");
  const queries = useQueryClient();

  const records = listing.rows;
  const rows = useMemo(() => deduplicated(records, search.dedup), [records, search.dedup]);
  const fieldsShown = useFieldsShown(search.facets);
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
  // Of a part, the bars within it count only when they are whole: the rows' own number is not known.
  const matched = volume.data && !volume.answer.isPlaceholderData && !part ? volume.data.total : null;
  const ready = shown.data !== undefined && !busy && !wrong;
  const fields = useFields(run, ready);
  const withDate = longerThanADay(run.from, run.to);
  const look: RowLook = useMemo(
    () => ({
      columns,
      wrap: search.wrap,
      zone,
      withDate,
      height: rowHeight(search.rows),
      digits: search.frac ?? 3,
      realBreaks: search.nl === "real",
      widths: search.widths,
    }),
    [columns, search.wrap, search.rows, search.frac, search.nl, search.widths, zone, withDate],
  );
  const link = (kind: "relative" | "absolute") => pageLink(whole, kind);
  const keys = useRowKeys({
    explore,
    rows,
    link: () => link("absolute"),
    onSaid: setSaid,
    onEscape: () => {
      if (picked.size > 0) setPicked(NOBODY);
      else if (search.row) change({ row: undefined, tab: undefined });
      else if (search.compare) change({ compare: undefined });
      else if (search.part) change({ part: undefined });
    },
  });

  const start = (typed: string, how: "push" | "replace") => {
    setCancelled(false);
    change({ q: typed }, how);
  };
  const zoom = ({ from, to }: TimeRange) => change({ from, to, part: undefined, compare: undefined });
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
        {text && !wrong && fields.data ? (
          <FieldHint text={text} run={whole} known={fields.data.fields} onText={(q) => start(q, "push")} />
        ) : null}
        <Pills pills={pills} onChange={(f) => change({ f })} />
      </div>
      <div className="border-b border-line bg-panel py-1">
        <Volume
          volume={volume}
          zone={zone}
          part={part ?? compared}
          broken={wrong !== null}
          onZoom={zoom}
          onPart={(shown) => change({ part: stretchText(shown), compare: undefined })}
          onCompare={(shown) => change({ compare: stretchText(shown), row: undefined, tab: undefined })}
        />
      </div>
      <div className="relative flex min-h-0 flex-1">
        {fieldsShown.shown ? (
          <Facets
            run={run}
            text={text}
            pills={pills}
            columns={columns}
            ready={ready}
            fields={fields}
            turned={search.turned ?? NOTHING_TURNED}
            onTurn={(turned) => change({ turned }, "replace")}
            onRange={(field, numbers) => change({ f: ranged(pills, field, numbers) })}
            besideDrawer={(search.row ?? search.compare) !== undefined && !run.piped}
            act={act}
          />
        ) : null}
        <section aria-label="Results" className="flex min-w-0 flex-1 flex-col bg-panel">
          <div className="flex h-9 shrink-0 items-center gap-2 border-b border-line pr-2 pl-1.5">
            <ToolButton
              icon="filter"
              size={14}
              pressed={fieldsShown.shown}
              label={fieldsShown.shown ? "Hide the fields (f)" : "Show the fields (f)"}
              onClick={() => change({ facets: fieldsShown.turned })}
            />
            <StatusLine
              busy={busy}
              cancelled={cancelled && !busy}
              askedAt_ms={range.to === "now" && !part ? whole.askedAt_ms : null}
              onAgain={runAgain}
              piped={run.piped}
              loaded={run.piped ? (table.data?.records.length ?? 0) : records.length}
              matched={matched}
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
          {part ? (
            <PartNote part={part} zone={zone} onZoom={zoom} onAll={() => change({ part: undefined })} />
          ) : null}
          <Results
            explore={explore}
            run={run}
            range={range}
            listing={listing}
            table={table}
            rows={rows}
            look={look}
            keys={keys}
            picked={picked}
            wrong={wrong !== null}
            busy={busy}
            onPick={pick}
            onRange={setRange}
          />
        </section>
        {search.row && !run.piped ? (
          <Drawer
            row={search.row}
            listed={keys.openId === keys.current?.id ? keys.current : undefined}
            explore={explore}
            run={run}
            zone={zone}
            onStep={keys.step}
            onOpen={(record: LogRecord) => keys.open(record)}
            link={() => link("absolute")}
          />
        ) : compared ? (
          <ComparePanel explore={explore} run={whole} part={compared} zone={zone} onZoom={zoom} />
        ) : null}
      </div>
    </div>
  );
}
