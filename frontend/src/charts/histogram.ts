/** The volume over time, stacked by level: from the API's answer to a chart's bars. */
import type { Schema } from "@/api/client";
import type { Bars } from "@/charts/bars";
import { compact } from "@/lib/format";
import { LEVELS, levelFill, levelLabel } from "@/lib/levels";
import { showTimestamp, type TimeRange, type Zone } from "@/lib/time";

export type HistogramAnswer = Schema["HistogramAnswer"];

export interface Series {
  readonly value: string;
  readonly label: string;
  /** The fill's CSS variable. */
  readonly fill: string;
  readonly total: number;
}

/** The series in stacking order: the gravest level stands on the axis, where sizes compare best. */
export function seriesOf(answer: HistogramAnswer): readonly Series[] {
  const rank = (value: string) => (LEVELS as readonly string[]).indexOf(value);
  const byLevel = answer.by === "level";
  const values = byLevel
    ? [...answer.values].sort((a, b) => (rank(a) < 0 ? 9 : rank(a)) - (rank(b) < 0 ? 9 : rank(b)))
    : answer.values;
  return values.map((value, i) => ({
    value,
    label: byLevel && value !== "other" ? levelLabel(value) : value || "—",
    fill: byLevel ? levelFill(value) : value === "other" ? "--fill-trace" : seriesFill(i),
    total: answer.buckets.reduce((sum, bucket) => sum + (bucket.counts[value] ?? 0), 0),
  }));
}

/** From the start of the first bucket to the end of the last, as the URL keeps it. */
export function bucketsRange(answer: HistogramAnswer, first: number, last: number): TimeRange | null {
  const from = answer.buckets[first]?.start;
  const end = answer.buckets[last]?.start;
  if (!from || !end) return null;
  const to = new Date(Date.parse(end) + answer.interval_s * 1e3).toISOString();
  return { from: new Date(Date.parse(from)).toISOString(), to };
}

/** The first and the last bucket that have a part of the range; `undefined`: none has. */
export function bucketsWithin(
  answer: HistogramAnswer,
  range: TimeRange,
): readonly [number, number] | undefined {
  const [from, to] = [Date.parse(range.from), Date.parse(range.to)];
  const begins = (bucket: { start: string }) => Date.parse(bucket.start);
  const first = answer.buckets.findIndex((bucket) => begins(bucket) + answer.interval_s * 1e3 > from);
  const last = answer.buckets.findLastIndex((bucket) => begins(bucket) < to);
  return first >= 0 && first <= last ? [first, last] : undefined;
}

/** `30 s`, `5 min`, `1 h`: the width of a bar. */
export function intervalLabel(interval_s: number): string {
  if (interval_s < 60) return `${interval_s} s`;
  if (interval_s < 3600) return `${interval_s / 60} min`;
  return interval_s < 86_400 ? `${interval_s / 3600} h` : `${interval_s / 86_400} d`;
}

/** An axis label: seconds only where bars are that narrow, days where the range spans more than one. */
export function axisTime(answer: HistogramAnswer, start: string, zone: Zone): string {
  const shown = showTimestamp(start, zone, { date: true, digits: 0 });
  const [date = "", time = ""] = shown.split(" ");
  if (answer.interval_s >= 86_400) return date.slice(5);
  const short = answer.interval_s < 60 ? time : time.slice(0, 5);
  const span_s = answer.interval_s * answer.buckets.length;
  return span_s > 86_400 ? `${date.slice(5)} ${short}` : short;
}

/** One line a reader without eyes on the chart gets instead of it. */
export function histogramSummary(answer: HistogramAnswer, zone: Zone): string {
  const parts = seriesOf(answer)
    .filter((one) => one.total > 0)
    .map((one) => `${compact(one.total)} ${one.label}`);
  const peak = answer.buckets.reduce((best, bucket) => (bucket.total > best.total ? bucket : best), {
    start: "",
    total: 0,
  });
  const at = peak.start ? `, most at ${showTimestamp(peak.start, zone, { date: true, digits: 0 })}` : "";
  return `${compact(answer.total)} records over time${parts.length > 0 ? ` (${parts.join(", ")})` : ""}${at}`;
}

export function histogramBars(answer: HistogramAnswer, hidden: ReadonlySet<string>, zone: Zone): Bars {
  return {
    labels: answer.buckets.map((bucket) => axisTime(answer, bucket.start, zone)),
    series: seriesOf(answer)
      .filter((one) => !hidden.has(one.value))
      .map(({ value, fill }) => ({
        fill,
        values: answer.buckets.map((bucket) => bucket.counts[value] ?? 0),
      })),
    // What reaches beyond the range was not counted in full.
    partial: new Set(answer.buckets.flatMap(({ partial }, i) => (partial ? [i] : []))),
    counts: true,
    splits: 2,
  };
}

/** Series that are no levels, in order of size; the last one is what is left over. */
const SERIES = [
  "--fill-info",
  "--fill-warn",
  "--fill-fatal",
  "--good",
  "--fill-error",
  "--info",
  "--warn",
  "--fatal",
];

const seriesFill = (index: number): string => SERIES[index % SERIES.length] ?? "--fill-info";
