/** One tail and the row that is looked at in it. */
import { useEffect, useState } from "react";
import { isMark } from "./buffer";
import type { Summary, Tail, TailRecord } from "./tail";
import { tailPath, useSummary, useTail } from "./useTail";

export interface Pane {
  readonly tail: Tail;
  readonly summary: Summary;
  /** It follows, or tries to. */
  readonly live: boolean;
  /** Number of the selected row, as in `aria-rowindex`. */
  readonly selected: number | null;
  /** What is open beside the list. */
  readonly record: TailRecord | null;
  readonly turn: () => void;
  readonly again: () => void;
  readonly pause: () => void;
  readonly select: (row: number) => void;
  readonly open: () => void;
  readonly close: () => void;
  readonly move: (step: number) => void;
  /** Close what is open, else resume. */
  readonly escape: () => void;
}

export function usePane(query: string, backfill: number): Pane {
  const path = tailPath(query, backfill);
  const tail = useTail(path);
  const summary = useSummary(tail);
  const { state, frozen } = summary;
  const [selected, setSelected] = useState<number | null>(null);
  const [opened, setOpened] = useState(false);
  const live = state.kind !== "stopped" && state.kind !== "refused" && state.kind !== "taken";

  // Rows that go on take the selection with them.
  useEffect(() => {
    if (frozen) return;
    setSelected(null);
    setOpened(false);
  }, [frozen]);

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
  return {
    tail,
    summary,
    live,
    selected,
    record: opened ? at(selected) : null,
    turn: () => (live ? tail.stop() : tail.start(path)),
    again: () => tail.start(path),
    pause: () => (frozen ? tail.resume() : tail.freeze()),
    select(row) {
      tail.freeze();
      setSelected(row);
    },
    open: () => setOpened(selected !== null),
    close: () => setOpened(false),
    move,
    escape: () => (opened ? setOpened(false) : tail.resume()),
  };
}
