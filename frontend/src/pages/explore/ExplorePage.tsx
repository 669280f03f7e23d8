/** Explore: search, volume, fields, rows, one record. Each of them fails alone. */
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { answered, api, type LogRecord } from "@/api/client";
import { useOffers } from "@/app/offers";
import { useShared } from "@/app/useShared";
import { effectiveQuery, ranged } from "@/lib/filters";
import { preferredDensity } from "@/lib/preferred";
import { rememberQuery } from "@/lib/recent";
import { type Signal, withSignals } from "@/lib/signals";
import type { TimeRange } from "@/lib/time";
import type { SavedView } from "@/lib/views";
import { columnOffers } from "@/pages/explore/columnOffers";
import { deduplicated } from "@/pages/explore/dedup";
import { rowHeight } from "@/pages/explore/layout";
import { pageLink } from "@/pages/explore/links";
import { Pills } from "@/pages/explore/Pills";
import { pickedWith } from "@/pages/explore/picks";
import { progressWords } from "@/pages/explore/progressWords";
import { QueryBar } from "@/pages/explore/QueryBar";
import type { RowLook } from "@/pages/explore/RecordRow";
import { Results } from "@/pages/explore/Results";
import { longerThanADay } from "@/pages/explore/rangeSpan";
import { StatusLine } from "@/pages/explore/StatusLine";
import { partOf, stretchText } from "@/pages/explore/stretch";
import { Toolbar } from "@/pages/explore/Toolbar";
import { useExplore } from "@/pages/explore/useExplore";
import { useFieldsShown } from "@/pages/explore/useFieldsShown";
import { useProgress } from "@/pages/explore/useProgress";
import { useQueryError } from "@/pages/explore/useQueryError";
import { useFields, useRows, useRun, useTable, useVolume } from "@/pages/explore/useResults";
import { useRowKeys } from "@/pages/explore/useRowKeys";
import { Volume } from "@/pages/explore/Volume";
import { later } from "@/ui/later";
import { ToolButton } from "@/ui/ToolButton";

const Facets = later(
  () => import("@/pages/explore/Facets").then((module) => module.Facets),
  ({ besideDrawer }) => (
    <aside
      aria-label="Fields"
      className={`w-60 shrink-0 border-r border-line max-md:w-44 ${besideDrawer ? "max-lg:hidden" : ""}`}
    />
  ),
);
const PartNote = later(() => import("@/pages/explore/PartNote").then((module) => module.PartNote));
const Drawer = later(() => import("@/pages/explore/Drawer").then((module) => module.Drawer));
const FieldHint = later(() => import("@/pages/explore/FieldHint").then((module) => module.FieldHint));
const SignalBar = later(() => import("@/pages/explore/SignalBar").then((module) => module.SignalBar));
const ComparePanel = later(() =>
  import("@/pages/explore/ComparePanel").then((module) => module.ComparePanel),
);

const NOTHING_TURNED: readonly string[] = [];
const NO_WORDS: readonly string[] = [];
const NO_SIGNALS: readonly Signal[] = [];
const NOBODY: ReadonlySet<string> = new Set();

export function ExplorePage() {
  const explore = useExplore();
  const { range, zone, setRange } = useShared();
  const { search, text, pills, columns, change, act } = explore;
  const signals = search.sig ?? NO_SIGNALS;
  const asked = useMemo(() => withSignals(text, signals), [text, signals]);
  const [whole, runAgain] = useRun(asked, pills, range);
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
  // Older rows that are asked for as one scrolls keep nobody waiting.
  const scrolling = listing.answer.isFetchingNextPage && !listing.stopped;
  const busy = shown.answer.isFetching && !scrolling;
  const progress = useProgress(busy, `${run.query}\0${run.from}\0${run.to}`, shown.id.now);
  const wrong = useQueryError(
    text,
    signals.length > 0 || pills.some((pill) => !pill.off),
    shown.answer.error,
  );
  const scope = useMemo(
    () => ({ query: effectiveQuery(withSignals("", signals), pills), from: run.from, to: run.to }),
    [signals, pills, run],
  );
  // Of a part, the bars within it count only when they are whole: the rows' own number is not known.
  const matched = volume.data && !volume.answer.isPlaceholderData && !part ? volume.data.total : null;
  const ready = shown.data !== undefined && !busy && !wrong;
  // Rows first, then the volume, then these: at once, each would keep the others waiting.
  const settled = ready && !volume.answer.isFetching;
  const fields = useFields(run, settled);
  const withDate = longerThanADay(run.from, run.to);
  const look: RowLook = useMemo(
    () => ({
      columns,
      wrap: search.wrap,
      zone,
      withDate,
      height: rowHeight(search.rows ?? preferredDensity()),
      digits: search.frac ?? 3,
      realBreaks: search.nl === "real",
      widths: search.widths,
    }),
    [columns, search.wrap, search.rows, search.frac, search.nl, search.widths, zone, withDate],
  );
  const { history } = useRouter();
  const link = (kind: "relative" | "absolute") => pageLink(history.location.href, whole, kind);
  useOffers(() => columnOffers(fields.data?.fields ?? [], columns, (field) => act("column", field, "")));
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

  useEffect(() => {
    if (busy) setCancelled(false);
  }, [busy]);
  const start = (typed: string, how: "push" | "replace") => {
    setCancelled(false);
    change({ q: typed }, how);
  };
  const load = (view: SavedView) =>
    void import("@/lib/viewState").then(({ replacedBy }) => change(replacedBy(search, view)));
  const zoom = ({ from, to }: TimeRange) => change({ from, to, part: undefined, compare: undefined });
  const cancel = () => {
    setCancelled(true);
    const drop = (key: string) => queries.cancelQueries({ queryKey: [key] });
    for (const key of ["table", "histogram", "values", "fields"]) void drop(key);
    // The server answers what it has found by then; where it cannot, what was there stays.
    if (run.piped || !busy) return;
    const query_id = listing.id.now();
    answered(api.POST("/api/v1/queries/{query_id}/stop", { params: { path: { query_id } } })).then(
      ({ running }) => {
        if (!running) void drop("search");
      },
      () => void drop("search"),
    );
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
          views={() => import("@/lib/views").then(({ fetchViews }) => fetchViews(queries))}
          onView={load}
        />
        {text && !wrong && fields.data ? (
          <FieldHint text={text} run={whole} known={fields.data.fields} onText={(q) => start(q, "push")} />
        ) : null}
        <Pills pills={pills} onChange={(f) => change({ f })} />
        <SignalBar on={signals} ready={ready} onChange={(sig) => change({ sig })} />
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
            text={asked}
            pills={pills}
            columns={columns}
            ready={settled}
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
              wrong={wrong !== null}
              cancelled={cancelled && !busy}
              stopped={listing.stopped && !run.piped && !listing.stale}
              progress={progress ? progressWords(progress, zone, withDate) : NO_WORDS}
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
