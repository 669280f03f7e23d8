/** Volume over time with its legend: drag to zoom, click a bar for that bucket, click a level to isolate it. */
import { type MouseEvent, type ReactNode, useMemo, useState } from "react";
import { Chart } from "@/charts/Chart";
import {
  bucketsRange,
  bucketsWithin,
  type HistogramAnswer,
  histogramBars,
  histogramSummary,
  intervalLabel,
  type Series,
  seriesOf,
} from "@/charts/histogram";
import { compact, whole } from "@/lib/format";
import { showTimestamp, type TimeRange, type Zone } from "@/lib/time";
import { later } from "@/ui/later";

const HistogramTable = later(() => import("@/charts/HistogramTable").then((module) => module.HistogramTable));

interface LevelHistogramProps {
  readonly answer: HistogramAnswer;
  readonly zone: Zone;
  /** A range of time was dragged over, or one bar clicked. */
  readonly onRange?: (from: string, to: string) => void;
  /** What can be done with a range that was dragged over; without it `onRange` is called. */
  readonly brushMenu?: (range: TimeRange, close: () => void) => ReactNode;
  /** A part of the range that stays marked. */
  readonly marked?: TimeRange | null;
  readonly height?: number;
  /** Stands left of the legend. */
  readonly title?: string;
}

const NONE: ReadonlySet<string> = new Set();

export function LevelHistogram(props: LevelHistogramProps) {
  const { answer, zone, onRange, brushMenu, marked, height = 96, title } = props;
  const [hidden, setHidden] = useState<ReadonlySet<string>>(NONE);
  const series = useMemo(() => seriesOf(answer), [answer]);
  const bars = useMemo(() => histogramBars(answer, hidden, zone), [answer, hidden, zone]);
  const summary = useMemo(() => histogramSummary(answer, zone), [answer, zone]);
  const choose = (value: string, event: MouseEvent) => {
    const others = series.map((one) => one.value).filter((one) => one !== value);
    const isolated = others.length > 0 && others.every((one) => hidden.has(one)) && !hidden.has(value);
    if (event.shiftKey) setHidden(flipped(hidden, value));
    else setHidden(isolated ? NONE : new Set(others));
  };
  const zoom = (first: number, last: number) => {
    const range = bucketsRange(answer, first, last);
    if (range) onRange?.(range.from, range.to);
  };
  const menu = (first: number, last: number, close: () => void) => {
    const range = bucketsRange(answer, first, last);
    return range && brushMenu ? brushMenu(range, close) : null;
  };
  return (
    <div>
      <div className="flex min-h-5 flex-wrap items-center gap-x-1 px-2 text-[11px] text-mute tabular-nums">
        {title ? <span className="font-medium">{title}</span> : null}
        <span className="mr-auto px-1">{intervalLabel(answer.interval_s)} per bar</span>
        {series.map((one) => (
          <LegendButton
            key={one.value}
            series={one}
            on={!hidden.has(one.value)}
            onClick={(event) => choose(one.value, event)}
          />
        ))}
      </div>
      <Chart
        bars={bars}
        ariaLabel={summary}
        height={height}
        tooltip={(at) => <BucketTip answer={answer} series={series} at={at} zone={zone} />}
        marked={marked ? bucketsWithin(answer, marked) : undefined}
        {...(brushMenu ? { brushMenu: menu } : {})}
        {...(onRange ? { onBrush: zoom, onClick: (at: number) => zoom(at, at) } : {})}
      />
      <HistogramTable answer={answer} zone={zone} />
    </div>
  );
}

function flipped(set: ReadonlySet<string>, value: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(value)) next.add(value);
  return next;
}

interface LegendProps {
  readonly series: Series;
  readonly on: boolean;
  readonly onClick: (event: MouseEvent) => void;
}

function LegendButton({ series, on, onClick }: LegendProps) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={onClick}
      title="Click: only this one. Shift+click: hide or show"
      className={`flex items-center gap-1 rounded px-1 hover:bg-raised hover:text-ink ${on ? "" : "opacity-45"}`}
    >
      <span
        aria-hidden="true"
        className="h-2 w-2 rounded-[2px]"
        style={{ background: `var(${series.fill})` }}
      />
      <bdi>{series.label}</bdi>
      <span>{compact(series.total)}</span>
    </button>
  );
}

interface TipProps {
  readonly answer: HistogramAnswer;
  readonly series: readonly Series[];
  readonly at: number;
  readonly zone: Zone;
}

function BucketTip({ answer, series, at, zone }: TipProps) {
  const bucket = answer.buckets[at];
  if (!bucket) return null;
  const end = new Date(Date.parse(bucket.start) + answer.interval_s * 1e3).toISOString();
  const rows = series.filter((one) => bucket.counts[one.value]);
  return (
    <>
      <p className="mb-1 text-mute">
        {showTimestamp(bucket.start, zone, { date: true, digits: 0 })} –{" "}
        {showTimestamp(end, zone, { date: false, digits: 0 })}
        {bucket.partial ? " · partial" : ""}
      </p>
      {rows.map((one) => (
        <p key={one.value} className="flex items-center gap-1.5">
          <span
            aria-hidden="true"
            className="h-2 w-2 rounded-[2px]"
            style={{ background: `var(${one.fill})` }}
          />
          <bdi className="mr-auto pr-4">{one.label}</bdi>
          <span>{whole(bucket.counts[one.value] ?? 0)}</span>
        </p>
      ))}
      <p className={`flex justify-between ${rows.length > 0 ? "mt-1 border-t border-line pt-1" : ""}`}>
        <span className="text-mute">All</span>
        <span>{whole(bucket.total)}</span>
      </p>
    </>
  );
}
