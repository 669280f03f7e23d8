/**
 * What a live tail shows and what it holds back. Frozen means that the shown rows themselves do not
 * change: what comes is held beside them, and counted when there is more than can be held.
 */
import { type Ring, ring } from "./ring";

export const SHOWN_ROWS = 10_000;
export const HELD_ROWS = 10_000;

export interface Mark {
  readonly mark: string;
}

export interface Buffer<T> {
  readonly shown: Ring<T | Mark>;
  readonly frozen: boolean;
  readonly held: number;
  /** Rows that came since it was frozen. */
  readonly waiting: number;
  /** Rows that were held and had to make room, since the last `clear`. */
  readonly dropped: number;
  /** Changes when, and only when, the shown rows do. */
  readonly version: number;
  take(items: readonly (T | Mark)[]): void;
  freeze(): void;
  /** Show what was held, behind a mark if some of it is gone. */
  resume(): void;
  /** Forget everything and follow again. */
  clear(): void;
}

export function isMark<T extends object>(item: T | Mark): item is Mark {
  return "mark" in item;
}

export function buffer<T extends object>(shownRows = SHOWN_ROWS, heldRows = HELD_ROWS): Buffer<T> {
  const shown = ring<T | Mark>(shownRows);
  const held = ring<T | Mark>(heldRows);
  let frozen = false;
  let waiting = 0;
  let dropped = 0;
  let droppedBefore = 0;
  let version = 0;

  return {
    shown,
    get frozen() {
      return frozen;
    },
    get held() {
      return held.length;
    },
    get waiting() {
      return waiting;
    },
    get dropped() {
      return dropped;
    },
    get version() {
      return version;
    },
    take(items) {
      // Frozen first, whatever the lengths: an empty batch must not unfreeze anything.
      if (!frozen) {
        for (const item of items) shown.push(item);
        if (items.length > 0) version += 1;
        return;
      }
      for (const item of items) {
        const oldest = held.length === held.capacity ? held.at(0) : undefined;
        if (oldest && !isMark(oldest)) dropped += 1;
        held.push(item);
        if (!isMark(item)) waiting += 1;
      }
    },
    freeze() {
      if (frozen) return;
      frozen = true;
      droppedBefore = dropped;
    },
    resume() {
      if (!frozen) return;
      frozen = false;
      const gone = dropped - droppedBefore;
      if (gone > 0) shown.push({ mark: `${gone} records came while paused and were not kept` });
      for (let i = 0; i < held.length; i += 1) {
        const item = held.at(i);
        if (item) shown.push(item);
      }
      held.clear();
      waiting = 0;
      version += 1;
    },
    clear() {
      shown.clear();
      held.clear();
      frozen = false;
      waiting = 0;
      dropped = 0;
      version += 1;
    },
  };
}
