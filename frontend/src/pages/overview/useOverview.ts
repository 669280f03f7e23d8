/**
 * The overview as the server pushes it. What was there stays on the screen while another range is
 * asked for, while the connection is lost, and while the tab is hidden (which costs no connection).
 */
import { useCallback, useEffect, useState } from "react";
import { ApiError, answered, api, type ErrorBody, type Schema } from "@/api/client";
import { durationMs, isRelative, type TimeRange } from "@/lib/time";

export type OverviewAnswer = Schema["OverviewAnswer"];

interface Seen {
  readonly key: string;
  readonly data: OverviewAnswer | undefined;
  readonly error: Error | null;
}

export interface Overview {
  readonly data: OverviewAnswer | undefined;
  readonly error: Error | null;
  /** What is shown belongs to the range before. */
  readonly old: boolean;
  readonly refetch: () => void;
}

export function useOverview(range: TimeRange): Overview {
  const key = `${range.from} ${range.to}`;
  const [seen, setSeen] = useState<Seen>({ key, data: undefined, error: null });
  const [tries, setTries] = useState(0);
  const { from, to } = range;
  useEffect(() => {
    const show = (data: OverviewAnswer) => setSeen({ key, data, error: null });
    const fail = (error: Error) => setSeen((before) => ({ ...before, key, error }));
    return isRelative({ from, to }) ? follow({ from, to }, show, fail) : once({ from, to }, show, fail);
  }, [from, to, key, tries]);
  return {
    data: seen.data,
    error: seen.key === key ? seen.error : null,
    old: seen.key !== key,
    refetch: useCallback(() => setTries((before) => before + 1), []),
  };
}

type Show = (data: OverviewAnswer) => void;
type Fail = (error: Error) => void;

/** A range that ends in the past does not change: asked once. */
function once(range: TimeRange, show: Show, fail: Fail): () => void {
  const gone = new AbortController();
  const query = { from: range.from, to: range.to };
  answered(api.GET("/api/v1/overview", { params: { query }, signal: gone.signal })).then(
    show,
    (error: unknown) => {
      if (!gone.signal.aborted) fail(error instanceof Error ? error : new Error(String(error)));
    },
  );
  return () => gone.abort();
}

function follow(range: TimeRange, show: Show, fail: Fail): () => void {
  let source: EventSource | null = null;
  let stopAsking: (() => void) | null = null;
  const close = () => {
    source?.close();
    source = null;
    stopAsking?.();
    stopAsking = null;
  };
  const open = () => {
    const made = new EventSource(streamUrl(range));
    source = made;
    made.addEventListener("overview", (event: MessageEvent<string>) =>
      show(JSON.parse(event.data) as OverviewAnswer),
    );
    // Both the server's own `error` event, which has data, and a connection that broke.
    made.addEventListener("error", (event) => {
      if (event instanceof MessageEvent) fail(new ApiError(503, errorOf(event.data)));
      else if (made.readyState !== EventSource.CLOSED)
        fail(new Error("The connection is lost; trying again"));
      // An EventSource does not tell why it was refused; the plain route does.
      else stopAsking = once(range, show, fail);
    });
  };
  const onVisible = () => {
    if (document.hidden) close();
    else if (!source) open();
  };
  onVisible();
  document.addEventListener("visibilitychange", onVisible);
  return () => {
    document.removeEventListener("visibilitychange", onVisible);
    close();
  };
}

function errorOf(data: unknown): ErrorBody {
  return (JSON.parse(String(data)) as Schema["ErrorAnswer"]).error;
}

function streamUrl(range: TimeRange): URL {
  const url = new URL("api/v1/overview/stream", document.baseURI);
  url.search = new URLSearchParams({
    from: range.from,
    to: range.to,
    every_s: String(everyS(range)),
  }).toString();
  return url;
}

/** The wider the range, the less a second changes in it. */
export function everyS(range: TimeRange): number {
  const width = range.from.startsWith("now-") && range.to === "now" ? durationMs(range.from.slice(4)) : null;
  return Math.min(30, Math.max(1, Math.round((width ?? 3.6e6) / 9e5)));
}
