/** The overview as the server pushes it; once, for a range that does not change any more. */
import { useRef } from "react";
import { answered, api, type Schema } from "@/api/client";
import { asked, made, pushed, type Shown, useSource } from "@/lib/source";
import { durationMs, isRelative, type TimeRange } from "@/lib/time";

export type OverviewAnswer = Schema["OverviewAnswer"];
export type Overview = Shown<OverviewAnswer>;

export function useOverview(range: TimeRange): Overview {
  const { from, to } = range;
  const key = `${from} ${to}`;
  const last = useRef<{ key: string; data: OverviewAnswer }>(undefined);
  const keep = (now: OverviewAnswer): OverviewAnswer => {
    const data = withKept(last.current?.key === key ? last.current.data : undefined, now);
    last.current = { key, data };
    return data;
  };
  return useSource<OverviewAnswer>(key, () =>
    made(
      isRelative(range)
        ? pushed<OverviewAnswer>(streamPath(range), "overview")
        : asked((signal) =>
            answered(api.GET("/api/v1/overview", { params: { query: { from, to } }, signal })),
          ),
      keep,
    ),
  );
}

/** An answer in which panels that failed still have what they showed before. */
export function withKept(before: OverviewAnswer | undefined, now: OverviewAnswer): OverviewAnswer {
  if (!before) return now;
  const names = Object.keys(now.failed) as (keyof OverviewAnswer)[];
  return { ...now, ...Object.fromEntries(names.map((name) => [name, before[name]])) };
}

function streamPath(range: TimeRange): string {
  const query = new URLSearchParams({ from: range.from, to: range.to, every_s: String(everyS(range)) });
  return `api/v1/overview/stream?${query}`;
}

/** The wider the range, the less a second changes in it. */
export function everyS(range: TimeRange): number {
  const width = range.from.startsWith("now-") && range.to === "now" ? durationMs(range.from.slice(4)) : null;
  return Math.min(30, Math.max(1, Math.round((width ?? 3.6e6) / 9e5)));
}
