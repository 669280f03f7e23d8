import { compact } from "@/lib/format";

/** `87/s`, `5.1K/s`: whole below a thousand, so that it stands still. */
export const perSecond = (value: number): string => `${value < 1_000 ? Math.round(value) : compact(value)}/s`;

/** How many a second, for each of the last `seconds` seconds. */
export interface Rate {
  add(count: number, nowMs: number): void;
  /** Oldest first; the second that is still running is left out. */
  series(nowMs: number): readonly number[];
  /** The mean of the last few whole seconds. */
  perSecond(nowMs: number): number;
}

const MEAN_OF = 3;

export function rate(seconds = 60): Rate {
  const counts = new Array<number>(seconds + 1).fill(0);
  let newest = Number.NaN;
  let oldest = Number.NaN;

  function reach(nowMs: number): number {
    const now = Math.floor(nowMs / 1_000);
    if (Number.isNaN(newest)) oldest = newest = now;
    for (let second = Math.max(newest + 1, now - seconds); second <= now; second += 1) {
      counts[second % counts.length] = 0;
    }
    newest = Math.max(newest, now);
    return newest;
  }

  function series(nowMs: number): readonly number[] {
    const now = reach(nowMs);
    return Array.from({ length: seconds }, (_, i) => counts[(now - seconds + i) % counts.length] ?? 0);
  }

  return {
    add(count, nowMs) {
      const at = reach(nowMs) % counts.length;
      counts[at] = (counts[at] ?? 0) + count;
    },
    series,
    perSecond(nowMs) {
      const whole = Math.min(MEAN_OF, reach(nowMs) - oldest);
      if (whole < 1) return counts[newest % counts.length] ?? 0;
      return (
        series(nowMs)
          .slice(-whole)
          .reduce((sum, count) => sum + count, 0) / whole
      );
    },
  };
}
