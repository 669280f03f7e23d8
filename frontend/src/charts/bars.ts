/** Bars over categories, stacked: what is to be drawn, and where everything stands. */
import { compact } from "@/lib/format";

export interface Bars {
  /** One for each category. */
  readonly labels: readonly string[];
  /** The first stands on the axis, the next ones on it. */
  readonly series: readonly { readonly fill: string; readonly values: readonly number[] }[];
  /** Categories that are not counted in full. */
  readonly partial?: ReadonlySet<number>;
  /** Values are counts: half a one is no tick. */
  readonly counts?: boolean;
  readonly splits: number;
  /** Every label stands below its bar, cut where it is too long; absent: as many as there is room for. */
  readonly named?: boolean;
  /** Pixels of a bar at most. */
  readonly widest?: number;
}

/** Where things stand, in pixels from the chart's left top. */
export interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Of one category. */
  readonly band: number;
  readonly ticks: readonly { readonly value: number; readonly y: number; readonly text: string }[];
  readonly names: readonly { readonly at: number; readonly x: number; readonly text: string }[];
  /** Of a value. */
  readonly y: (value: number) => number;
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const LABEL_PX = 10;
const EDGE = { side: 8, top: 8, bottom: 4 } as const;
const BESIDE_LABEL = 8;
const BETWEEN_NAMES = 14;

/** `wide`: pixels that a text takes. */
export function plotOf(bars: Bars, width: number, height: number, wide: (text: string) => number): Plot {
  const { ticks, low, high } = scaleOf(bars);
  const texts = ticks.map((value) => tickText(value, ticks));
  const left = EDGE.side + Math.max(...texts.map(wide)) + BESIDE_LABEL;
  const right = Math.max(left + 1, width - EDGE.side);
  const top = EDGE.top;
  const bottom = height - EDGE.bottom - LABEL_PX - BESIDE_LABEL;
  const y = (value: number) => bottom - ((value - low) / (high - low)) * (bottom - top);
  const band = (right - left) / Math.max(1, bars.labels.length);
  return {
    left,
    right,
    top,
    bottom,
    band,
    ticks: ticks.map((value, i) => ({ value, y: y(value), text: texts[i] ?? "" })),
    names: namesOf(bars, { left, right, band }, wide),
    y,
  };
}

function scaleOf(bars: Bars): { ticks: readonly number[]; low: number; high: number } {
  const sums = bars.labels.map((_, at) => bars.series.reduce((sum, one) => sum + (one.values[at] ?? 0), 0));
  // Not spread into a call: there may be more than it takes.
  const most = sums.reduce((a, b) => Math.max(a, b), 0);
  const least = sums.reduce((a, b) => Math.min(a, b), 0);
  // One tick more where that leaves less room above the highest bar.
  const step = stepOf((most - least || 1) / (bars.splits + 1), bars.counts === true);
  const from = Math.floor(least / step);
  const to = Math.max(from + 1, Math.ceil(most / step));
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => (from + i) * step);
  return { ticks, low: from * step, high: to * step };
}

/** The next larger of 1, 2, 3, 4, 5, 10, 20, … and their fractions. */
function stepOf(size: number, counts: boolean): number {
  // What is smaller still has no digits left to count in.
  const power = 10 ** Math.floor(Math.log10(Math.max(size, 1e-300)));
  const step = ([1, 2, 3, 4, 5].find((one) => one * power >= size) ?? 10) * power;
  return counts ? Math.max(1, step) : step;
}

function tickText(value: number, ticks: readonly number[]): string {
  const step = (ticks[1] ?? 1) - (ticks[0] ?? 0);
  return step < 0.1 ? String(Number(value.toPrecision(3))) : compact(value);
}

type Room = Pick<Plot, "left" | "right" | "band">;

function namesOf(bars: Bars, { left, right, band }: Room, wide: (text: string) => number): Plot["names"] {
  const middle = (index: number) => left + (index + 0.5) * band;
  if (bars.named) {
    return bars.labels.map((label, i) => ({
      at: i,
      x: middle(i),
      text: cut(label, band - BESIDE_LABEL, wide),
    }));
  }
  const widest = bars.labels.reduce((most, label) => Math.max(most, wide(label)), 0);
  const every = Math.max(1, Math.ceil((widest + BETWEEN_NAMES) / band));
  return bars.labels
    .map((text, i) => ({ at: i, x: middle(i), text, shown: i % every === 0 }))
    .filter(({ x, text, shown }) => shown && x + wide(text) / 2 <= right + EDGE.side);
}

/** As much of the text as there is room for. */
function cut(text: string, room: number, wide: (text: string) => number): string {
  if (wide(text) <= room) return text;
  const chars = [...text];
  while (chars.length > 0 && wide(`${chars.join("")}…`) > room) chars.pop();
  return chars.length > 0 ? `${chars.join("")}…` : "";
}

/** What bars take of their categories' width. */
const shareOf = (bars: Bars): number => (bars.labels.length > 60 ? 0.88 : 0.8);

/** The bar of each series in a category, on whole pixels; what would not be seen is left out. */
export function stackAt(bars: Bars, plot: Plot, at: number): readonly (Rect & { readonly fill: string })[] {
  const share = shareOf(bars);
  const width = Math.max(1, Math.round(Math.min(bars.widest ?? plot.band, plot.band * share)));
  const x = Math.round(plot.left + (at + 0.5) * plot.band - width / 2);
  let sum = 0;
  return bars.series.flatMap(({ fill, values }) => {
    const [from, to] = [plot.y(sum), plot.y(sum + (values[at] ?? 0))];
    sum += values[at] ?? 0;
    const y = Math.min(from, to);
    return from === to ? [] : [{ fill, x, y, width, height: Math.abs(to - from) }];
  });
}

/** The category under a point, the nearest where there is none. */
export const categoryAt = (plot: Plot, categories: number, x: number): number =>
  Math.min(categories - 1, Math.max(0, Math.floor((x - plot.left) / plot.band)));

/** Left and right of a stretch of categories. */
export const edgesOf = (plot: Plot, first: number, last: number): { left: number; right: number } => ({
  left: plot.left + first * plot.band,
  right: plot.left + (last + 1) * plot.band,
});
