/** What matches, as it arrives: pushed, never asked for again and again. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { ErrorBody } from "@/api/client";
import { useShortcuts } from "@/app/keys";
import type { ExploreSearch, LiveSearch } from "@/app/search";
import { rememberQuery } from "@/lib/recent";
import { QueryBar } from "@/pages/explore/QueryBar";
import { Icon } from "@/ui/icons";
import { isMark } from "./buffer";
import { Highlights } from "./Highlights";
import { LevelToggles } from "./LevelToggles";
import "./live.css";
import { PausedChip } from "./PausedChip";
import { rangeOf } from "./range";
import { StatusLine } from "./StatusLine";
import { TailDetail } from "./TailDetail";
import { TailList } from "./TailList";
import { refusal } from "./tail";
import { tailPath, tailQuery, useSummary, useTail } from "./useTail";

const BACKFILLS = [0, 100, 500, 1_000] as const;
const NO_NAMES: readonly string[] = [];

export function LivePage() {
  const search: LiveSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const levels = search.levels ?? NO_NAMES;
  const terms = search.hl ?? NO_NAMES;
  const query = tailQuery(search.q ?? "", levels);
  const path = tailPath(query, search.back ?? 100);
  const tail = useTail(path);
  const { state, frozen } = useSummary(tail);
  const [selected, setSelected] = useState<number | null>(null);
  const [open, setOpen] = useState(false);
  const live = state.kind !== "stopped" && state.kind !== "refused" && state.kind !== "taken";

  // Rows that go on take the selection with them.
  useEffect(() => {
    if (frozen) return;
    setSelected(null);
    setOpen(false);
  }, [frozen]);

  const merge = (change: LiveSearch, replace = false) =>
    void navigate({
      to: ".",
      replace,
      search: (old: Record<string, unknown>) => ({ ...old, ...change }) as never,
    });
  const run = (q: string) => {
    rememberQuery(q);
    if (q !== (search.q ?? "")) merge({ q });
    else tail.start(path);
  };
  const explore = (found: ExploreSearch) =>
    void navigate({
      to: "/explore",
      search: { ...(query ? { q: query } : {}), ...(search.tz ? { tz: search.tz } : {}), ...found } as never,
    });
  const exploreAll = () => {
    const range = rangeOf(tail.buffer.shown);
    if (range) explore(range);
  };
  const wrap = search.wrap === "wrap";
  const turnWrap = () => merge({ wrap: wrap ? undefined : "wrap" } as LiveSearch, true);
  const at = (row: number | null) => {
    const item = row === null ? undefined : tail.buffer.shown.at(row - 1 - tail.buffer.shown.first);
    return item && !isMark(item) ? item : null;
  };
  const move = (step: number) => {
    tail.freeze();
    const { first, length } = tail.buffer.shown;
    if (length === 0) return;
    const from = selected ?? (step < 0 ? first + length + 1 : first);
    const last = first + length;
    let next = Math.min(last, Math.max(first + 1, from + step));
    while (!at(next) && next + step > first && next + step <= last) next += step;
    if (at(next)) setSelected(next);
  };
  const select = (row: number) => {
    tail.freeze();
    setSelected(row);
  };
  const record = open ? at(selected) : null;

  useShortcuts([
    {
      keys: "Space",
      what: "Pause or resume",
      group: "Live tail",
      run: () => (frozen ? tail.resume() : tail.freeze()),
    },
    { keys: "Shift+G", what: "Resume at the end", group: "Live tail", run: tail.resume },
    {
      keys: "s",
      what: "Stop or start",
      group: "Live tail",
      run: () => (live ? tail.stop() : tail.start(path)),
    },
    { keys: "w", what: "Wrap long lines", group: "View", run: turnWrap },
    { keys: "Shift+X", what: "Clear the rows", group: "Live tail", run: tail.clear },
    { keys: "Shift+E", what: "Open these rows in Explore", group: "Live tail", run: exploreAll },
    { keys: "j", what: "Next row", group: "Rows", run: () => move(1) },
    { keys: "k", what: "Row before", group: "Rows", run: () => move(-1) },
    { keys: "ArrowDown", what: "Next row", group: "Rows", run: () => move(1) },
    { keys: "ArrowUp", what: "Row before", group: "Rows", run: () => move(-1) },
    { keys: "Enter", what: "Open the row", group: "Rows", run: () => setOpen(selected !== null) },
    {
      keys: "Escape",
      what: "Close the row, then resume",
      group: "Rows",
      run: () => (open ? setOpen(false) : tail.resume()),
    },
  ]);

  return (
    <div className="flex h-full flex-col">
      <div className="flex shrink-0 flex-col gap-2 border-b border-line p-3">
        <div className="flex items-start gap-2">
          <div className="min-w-0 flex-1">
            <QueryBar
              text={search.q ?? ""}
              busy={false}
              hint="Follow: words, field:value, /regex/"
              error={typedError(refusal(state), levels)}
              scope={{ query: tailQuery("", levels), from: "now-15m", to: "now" }}
              onType={() => {}}
              onRun={run}
              onCancel={() => {}}
            />
          </div>
          <button
            type="button"
            title={live ? "Stop; the rows stay (s)" : "Follow again (s)"}
            onClick={() => (live ? tail.stop() : tail.start(path))}
            className="flex h-8 w-20 shrink-0 items-center justify-center gap-1.5 rounded-md border border-line bg-panel hover:bg-raised"
          >
            <Icon name={live ? "stop" : "play"} size={13} />
            {live ? "Stop" : "Start"}
          </button>
        </div>
        <div className="flex flex-wrap items-center gap-2">
          <LevelToggles
            levels={levels}
            onChange={(next) => merge({ levels: next.length > 0 ? next : undefined } as LiveSearch)}
          />
          <Highlights
            terms={terms}
            onChange={(next) => merge({ hl: next.length > 0 ? next : undefined } as LiveSearch, true)}
          />
          <label className="ml-auto flex items-center gap-1.5 text-[12px] text-mute">
            Begin with
            <select
              value={search.back ?? 100}
              onChange={(event) => merge({ back: backOf(event.target.value) } as LiveSearch)}
              className="h-7 rounded-md border border-line bg-panel px-1 text-ink"
            >
              {BACKFILLS.map((count) => (
                <option key={count} value={count}>
                  {count === 0 ? "none before" : `the last ${count}`}
                </option>
              ))}
            </select>
          </label>
          <button
            type="button"
            aria-pressed={wrap}
            title="Wrap long lines (w)"
            onClick={turnWrap}
            className={`${TOOL} flex items-center gap-1.5 aria-pressed:bg-selected`}
          >
            <Icon name="wrap" size={14} />
            Wrap
          </button>
          <Tool label="Clear" title="Clear the rows (Shift+X)" onClick={tail.clear} />
          <Tool
            label="Open in Explore"
            title="These rows' time range in Explore (Shift+E)"
            onClick={exploreAll}
          />
        </div>
      </div>
      <div className="flex min-h-0 flex-1">
        <div className="relative min-w-0 flex-1 bg-panel">
          <TailList
            tail={tail}
            terms={terms}
            wrap={wrap}
            selected={selected}
            onSelect={select}
            onOpen={(row) => {
              select(row);
              setOpen(true);
            }}
          />
          <PausedChip tail={tail} />
          <Nothing tail={tail} query={query} />
        </div>
        {record ? (
          <TailDetail
            record={record}
            onClose={() => setOpen(false)}
            onExplore={() =>
              explore({
                ...around(record.timestamp),
                ...(record.id ? { row: `${record.timestamp}~${record.id}` } : {}),
              })
            }
          />
        ) : null}
      </div>
      <StatusLine tail={tail} />
    </div>
  );
}

/** The place in what was typed: the chosen levels put a parenthesis before it. */
function typedError(error: ErrorBody | null, levels: readonly string[]): ErrorBody | null {
  if (!error?.column || levels.length === 0 || (error.line ?? 1) > 1) return error;
  return { ...error, column: Math.max(1, error.column - 1) };
}

const TOOL = "h-7 rounded-md border border-line bg-panel px-2.5 text-[12px] hover:bg-raised";

function Tool({ label, title, onClick }: { label: string; title: string; onClick: () => void }) {
  return (
    <button type="button" title={title} onClick={onClick} className={TOOL}>
      {label}
    </button>
  );
}

/** Says why there are no rows. */
function Nothing({ tail, query }: { tail: ReturnType<typeof useTail>; query: string }) {
  const { shown, state, frozen } = useSummary(tail);
  if (shown > 0 || (state.kind !== "open" && state.kind !== "stopped")) return null;
  const text =
    state.kind === "stopped"
      ? "Stopped. Start follows again from here."
      : frozen
        ? "Paused before anything came."
        : `Waiting for records${query ? " that match" : ""}: they appear here as they arrive.`;
  return <p className="pointer-events-none absolute inset-x-0 top-1/3 text-center text-mute">{text}</p>;
}

function around(timestamp: string): { from: string; to: string } {
  const at = Date.parse(timestamp);
  return { from: new Date(at - 30_000).toISOString(), to: new Date(at + 30_000).toISOString() };
}

function backOf(value: string): 0 | 500 | 1_000 | undefined {
  const count = Number(value);
  return count === 0 || count === 500 || count === 1_000 ? count : undefined;
}
