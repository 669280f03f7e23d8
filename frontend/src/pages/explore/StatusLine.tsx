/** What the search cost and found, in one line that screen readers hear once it is done. */
import { compact, whole } from "@/lib/format";

interface StatusLineProps {
  readonly busy: boolean;
  readonly loaded: number;
  readonly matched: number | null;
  readonly scanned: number | null;
  readonly elapsedMs: number | null;
  readonly piped: boolean;
  readonly cancelled: boolean;
}

export function StatusLine({ busy, loaded, matched, scanned, elapsedMs, piped, cancelled }: StatusLineProps) {
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
        className={`h-1.5 w-1.5 shrink-0 rounded-full ${busy ? "animate-pulse bg-accent" : cancelled ? "bg-warn" : "bg-good"}`}
      />
      <span className="truncate">
        {busy ? "Searching… " : cancelled ? "Cancelled, showing what was there · " : ""}
        {parts.join(" · ")}
      </span>
    </p>
  );
}
