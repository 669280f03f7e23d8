/**
 * One live tail of this page: rows as they come, and everything that is told about them. React
 * hears of it at most once a frame, however much came.
 */
import type { ErrorBody, Schema } from "@/api/client";
import { openStream } from "@/stream/open";
import type { StreamState } from "@/stream/protocol";
import type { ServerEvent } from "@/stream/sse";
import { type Buffer, buffer, type Mark } from "./buffer";
import { added, type Counts, NONE, type TailStatus } from "./counts";
import { GAP_ROWS, type Gap, gapAfter } from "./gap";
import { type Rate, rate } from "./rate";
import { ring } from "./ring";
import { settled } from "./settled";

export type TailRecord = Schema["TailRecord"];
export type Item = TailRecord | Mark;

export type TailState = StreamState | { readonly kind: "stopped" };

/** What is said about the rows. A new object when any of it changed. */
export interface Summary {
  readonly state: TailState;
  readonly frozen: boolean;
  readonly shown: number;
  readonly held: number;
  readonly waiting: number;
  /** Held here and then let go, or lost on the way because this browser was too slow. */
  readonly dropped: number;
  readonly counts: Counts;
  /** Shown is one in so many of what matches. */
  readonly sample: number;
  readonly backfillComplete: boolean;
  readonly perSecond: number;
  readonly series: readonly number[];
}

export interface Tail {
  readonly buffer: Buffer<TailRecord>;
  readonly subscribe: (listener: () => void) => () => void;
  /** Changes when the shown rows do. */
  readonly version: () => number;
  readonly summary: () => Summary;
  /** Follow this path; another than before begins with no rows. */
  readonly start: (path: string) => void;
  readonly stop: () => void;
  readonly freeze: () => void;
  readonly resume: () => void;
  readonly clear: () => void;
  /** Time passed: rates fall when nothing comes. */
  readonly tick: () => void;
}

/** How often numbers change that somebody is to read. */
const SUMMARY_MS = 250;
/** A page in the background gets no frames: what waits for one is bounded. */
const PENDING_ROWS = 2_000;
/** Records that are known again when a gap is closed. */
const KNOWN_AGAIN = 2 * GAP_ROWS;
/** When nothing live comes by then the earlier records are over. */
const GAP_OVER_MS = 1_000;

export interface Around {
  readonly open: typeof openStream;
  readonly frame: (run: () => void) => void;
  readonly now: () => number;
  /** Until what was in the server's queue can be found in its store; whether it came to that. */
  readonly settled: (signal: AbortSignal) => Promise<boolean>;
  readonly later: (run: () => void, ms: number) => void;
}

const BROWSER: Around = {
  open: openStream,
  settled,
  later: (run, ms) => void setTimeout(run, ms),
  frame: (run) => void requestAnimationFrame(run),
  now: () => Date.now(),
};

export function makeTail(around: Around = BROWSER): Tail {
  const rows = buffer<TailRecord>();
  const listeners = new Set<() => void>();
  let arrivals: Rate = rate();
  let path = "";
  let close: (() => void) | null = null;
  let state: TailState = { kind: "stopped" };
  let counts = NONE;
  let before: Counts | null = NONE;
  let sample = 1;
  let backfillComplete = true;
  let resume = "";
  let inBackfill = false;
  let summary = summed();
  let summaryAtMs = 0;
  let version = rows.version;
  let asked = false;
  // The buffer changes with the frame that shows it: what is frozen is exactly what is seen.
  let pending: Item[] = [];
  let came = ring<TailRecord>(KNOWN_AGAIN);
  let began = new Date(around.now()).toISOString();
  let gap: Gap | null = null;
  let waiting: AbortController | null = null;

  function summed(): Summary {
    const nowMs = around.now();
    return {
      state,
      frozen: rows.frozen,
      shown: rows.shown.length,
      held: rows.held,
      waiting: rows.waiting,
      dropped: rows.dropped + counts.dropped,
      counts,
      sample,
      backfillComplete,
      perSecond: arrivals.perSecond(nowMs),
      series: arrivals.series(nowMs),
    };
  }

  /** `now`: the summary too, for what somebody did and waits to see. */
  function changed(now = false): void {
    if (now) summaryAtMs = 0;
    if (asked) return;
    asked = true;
    around.frame(() => {
      asked = false;
      settle();
      version = rows.version;
      if (around.now() - summaryAtMs >= SUMMARY_MS) {
        summaryAtMs = around.now();
        summary = summed();
      }
      for (const listener of listeners) listener();
    });
  }

  function settle(): void {
    rows.take(pending);
    pending = [];
  }

  function arrive(items: readonly Item[]): void {
    for (const item of items) pending.push(item);
    if (pending.length > PENDING_ROWS) settle();
    changed();
  }

  function onEvent(event: ServerEvent): void {
    resume = event.id || resume;
    if (event.name === "rows") onRows(JSON.parse(event.data) as Schema["TailRows"]);
    else if (event.name === "status") onStatus(JSON.parse(event.data) as TailStatus);
  }

  function onRows(event: Schema["TailRows"]): void {
    if (gap && event.backfill) {
      show(gap.earlier(event.rows));
      const current = gap;
      around.later(() => current === gap && endGap(), GAP_OVER_MS);
      return;
    }
    endGap();
    if (inBackfill && !event.backfill) arrive([{ mark: "Live from here" }]);
    inBackfill = event.backfill;
    show(event.rows);
  }

  function show(records: readonly TailRecord[]): void {
    for (const record of records) came.push(record);
    arrive(records);
  }

  /** The server does not know where this tail was: what came meanwhile is looked for. */
  function closeGap(): void {
    halt();
    arrive([{ mark: "The connection was lost here" }]);
    const known = Array.from({ length: came.length }, (_, i) => came.at(i)).filter(
      (one) => one !== undefined,
    );
    const stop = new AbortController();
    waiting = stop;
    state = { kind: "connecting" };
    void around.settled(stop.signal).then((found) => {
      if (stop.signal.aborted) return;
      if (!found) arrive([{ mark: "The store is far behind: records may be missing here" }]);
      gap = gapAfter(known, began);
      resume = "";
      close = around.open(withBackfill(path, GAP_ROWS), "", { onEvent, onState });
      changed(true);
    });
    changed(true);
  }

  function endGap(): void {
    const left = gap?.rest() ?? [];
    gap = null;
    if (left.length === 0) return;
    arrive([{ mark: "Records may be missing here, but not in the store" }]);
    show(left);
  }

  function onStatus(status: TailStatus): void {
    const total = added(counts, before, status);
    arrivals.add(total.matched - counts.matched, around.now());
    if (status.gap && before === NONE) {
      closeGap();
      return;
    }
    if (total.missed_entries > counts.missed_entries) {
      arrive([{ mark: "The live tail fell behind: records are missing here, but not in the store" }]);
    }
    counts = total;
    before = status;
    sample = status.sample;
    backfillComplete &&= status.backfill_complete;
    changed();
  }

  function onState(next: StreamState): void {
    state = next;
    if (next.kind === "open") before = next.joined ? null : NONE;
    changed(true);
  }

  function halt(): void {
    endGap();
    waiting?.abort();
    waiting = null;
    close?.();
    close = null;
  }

  function forget(): void {
    rows.clear();
    pending = [];
    arrivals = rate();
    counts = NONE;
    sample = 1;
    backfillComplete = true;
    inBackfill = false;
    gap = null;
    came = ring(KNOWN_AGAIN);
    began = new Date(around.now()).toISOString();
  }

  return {
    buffer: rows,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    version: () => version,
    summary: () => summary,
    start(wanted) {
      halt();
      if (wanted !== path) {
        forget();
        resume = "";
      }
      path = wanted;
      state = { kind: "connecting" };
      close = around.open(path, resume, { onEvent, onState });
      changed(true);
    },
    stop() {
      halt();
      state = { kind: "stopped" };
      changed(true);
    },
    freeze() {
      rows.freeze();
      changed(true);
    },
    resume() {
      rows.resume();
      changed(true);
    },
    clear() {
      forget();
      changed(true);
    },
    tick: () => changed(),
  };
}

/** The same tail with so many records from before. */
function withBackfill(path: string, rows: number): string {
  const [route = "", query] = path.split("?");
  const asked = new URLSearchParams(query);
  asked.set("backfill", String(rows));
  return `${route}?${asked}`;
}

/** The server's refusal, if that is how it stands. */
export const refusal = (state: TailState): ErrorBody | null =>
  state.kind === "refused" ? state.error : null;
