/** What the search cost and found, in one line that screen readers hear once it is done. */
import { useEffect, useState } from "react";
import { compact, whole } from "@/lib/format";
import { age } from "@/lib/time";

interface StatusLineProps {
  readonly busy: boolean;
  readonly loaded: number;
  readonly matched: number | null;
  readonly scanned: number | null;
  readonly elapsedMs: number | null;
  readonly piped: boolean;
  /** The query cannot be understood, which is said below it. */
  readonly wrong: boolean;
  readonly cancelled: boolean;
  /** It was cancelled, and answered what it had found until then. */
  readonly stopped: boolean;
  /** How far it is, in words; none while it is quick or nothing is known. */
  readonly progress: readonly string[];
  /** When a range that ends now was asked for; `null`: the range is fixed. */
  readonly askedAt_ms: number | null;
  readonly onAgain: () => void;
}

const OLD_MS = 120_000;

export function StatusLine(props: StatusLineProps) {
  const {
    busy,
    loaded,
    matched,
    scanned,
    elapsedMs,
    progress,
    piped,
    wrong,
    cancelled,
    stopped,
    askedAt_ms,
    onAgain,
  } = props;
  const passed_s = usePassed(busy);
  const now = useNow(askedAt_ms !== null && !busy);
  const old = askedAt_ms !== null && !busy && now - askedAt_ms > OLD_MS;
  const idle = cancelled || stopped;
  const parts = [
    matched === null ? null : `${whole(matched)} matched`,
    piped ? `${whole(loaded)} rows` : `${whole(loaded)} loaded`,
    scanned === null ? null : `${compact(scanned)} scanned`,
    elapsedMs === null ? null : `${elapsedMs < 10 ? elapsedMs.toFixed(1) : whole(Math.round(elapsedMs))} ms`,
  ].filter((part) => part !== null);
  return (
    <p role="status" className="flex min-w-0 items-center gap-2 truncate text-[12px] text-mute tabular-nums">
      <span
        aria-hidden="true"
        className={`h-1.5 w-1.5 shrink-0 rounded-full ${busy ? "animate-pulse bg-accent" : wrong ? "bg-error" : idle ? "bg-warn" : "bg-good"}`}
      />
      {busy ? (
        <>
          <span className="truncate">Searching…</span>
          {/* Several times a second, so not to be heard. */}
          <span aria-hidden="true" className="-ml-1 truncate">
            {[...(passed_s > 0 ? [`${passed_s} s`] : []), ...(progress.length > 0 ? progress : parts)].join(
              " · ",
            )}
          </span>
        </>
      ) : (
        <span className="truncate">
          {wrong
            ? `Not searched: the query cannot be understood${loaded > 0 ? ", showing what was there · " : ""}`
            : stopped
              ? "Stopped, with what it had found · "
              : cancelled
                ? "Cancelled, showing what was there · "
                : ""}
          {wrong && loaded === 0 ? "" : parts.join(" · ")}
        </span>
      )}
      {old ? (
        <button
          type="button"
          className="shrink-0 text-accent hover:underline"
          title="The range ends now: newer records have come since"
          onClick={onAgain}
        >
          asked {age(new Date(askedAt_ms).toISOString(), now)} · again
        </button>
      ) : null}
    </p>
  );
}

/** Whole seconds since it began. */
function usePassed(running: boolean): number {
  const [passed_s, setPassed] = useState(0);
  useEffect(() => {
    setPassed(0);
    if (!running) return;
    const each = setInterval(() => setPassed((count) => count + 1), 1_000);
    return () => clearInterval(each);
  }, [running]);
  return passed_s;
}

/** The time, looked at now and then. */
function useNow(wanted: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    setNow(Date.now());
    if (!wanted) return;
    const each = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(each);
  }, [wanted]);
  return now;
}
