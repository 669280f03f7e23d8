/** The overview as the server pushes it; once, for a range that does not change any more. */
import { answered, api, type Schema } from "@/api/client";
import { asked, pushed, type Shown, useSource } from "@/lib/source";
import { durationMs, isRelative, type TimeRange } from "@/lib/time";

export type OverviewAnswer = Schema["OverviewAnswer"];
export type Overview = Shown<OverviewAnswer>;

export function useOverview(range: TimeRange): Overview {
  const { from, to } = range;
  return useSource<OverviewAnswer>(`${from} ${to}`, () =>
    isRelative(range)
      ? pushed(streamPath(range), "overview")
      : asked((signal) => answered(api.GET("/api/v1/overview", { params: { query: { from, to } }, signal }))),
  );
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
