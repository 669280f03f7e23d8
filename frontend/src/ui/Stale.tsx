/** Says that what is shown gets old: since when, why, and when it is tried again. */
import { useEffect, useState } from "react";
import type { Trouble } from "@/lib/source";
import { age } from "@/lib/time";
import { Icon } from "@/ui/icons";

interface StaleProps {
  readonly trouble: Trouble;
  /** When what is shown came, epoch ms. */
  readonly updatedAtMs: number;
  readonly onRetry: () => void;
}

export function Stale({ trouble, updatedAtMs, onRetry }: StaleProps) {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const { error, retryAtMs } = trouble;
  const inS = retryAtMs === undefined ? 0 : Math.ceil((retryAtMs - nowMs) / 1e3);
  const last = age(new Date(Math.min(updatedAtMs, nowMs)).toISOString(), nowMs);
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1 border-b border-line bg-raised px-4 py-1.5">
      <p role="status" className="flex items-center gap-2 text-warn">
        <Icon name="warn" />
        Not updating: {error.message}
      </p>
      <p className="text-mute tabular-nums">
        Last update {last}
        {retryAtMs === undefined ? "" : inS > 0 ? `, reconnecting in ${inS} s` : ", reconnecting"}
      </p>
      <button
        type="button"
        onClick={onRetry}
        className="ml-auto rounded-md border border-line bg-panel px-2 hover:bg-selected"
      >
        Retry now
      </button>
    </div>
  );
}
