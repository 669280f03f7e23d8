/** How the tail stands, in numbers that add up: nothing is left out without being counted. */
import { useEffect, useState } from "react";
import { whole } from "@/lib/format";
import { Sparkline } from "@/ui/Sparkline";
import { HELD_ROWS, SHOWN_ROWS } from "./buffer";
import { perSecond } from "./rate";
import type { Summary, Tail, TailState } from "./tail";
import { useSummary } from "./useTail";

const SPOKEN_MS = 5_000;

export function StatusLine({ tail }: { tail: Tail }) {
  const summary = useSummary(tail);
  const [colour, words] = standing(summary);
  const { counts } = summary;
  return (
    <section
      aria-label="How the tail stands"
      className="flex h-8 shrink-0 items-center gap-x-4 overflow-hidden border-t border-line bg-panel px-3 text-[12px] whitespace-nowrap text-mute tabular-nums"
    >
      <span className="flex min-w-0 items-center gap-1.5 text-ink">
        <span aria-hidden="true" className={`h-2 w-2 shrink-0 rounded-full ${colour}`} />
        <span className="truncate">{words}</span>
      </span>
      <span className="flex items-center gap-2" title="Matching records a second, over the last minute">
        <Sparkline series={summary.series} slots={60} className="h-5 w-24 text-accent @max-xl:hidden" />
        <span className="w-14 text-ink">{perSecond(summary.perSecond)}</span>
      </span>
      <span className="ml-auto flex items-center gap-x-4">
        {summary.sample > 1 ? (
          <span className="text-warn" title="Too many to show all of them">
            showing 1 in {whole(summary.sample)}
          </span>
        ) : null}
        <Count
          of={counts.sampled_out + counts.unexamined}
          name="sampled out"
          title="Matched or not, they are stored, and Explore finds them"
        />
        <Count
          of={counts.missed_entries}
          name="missed batches"
          title="Deleted from the queue before the tail saw them; they are stored"
        />
        <Count
          of={summary.dropped}
          name="dropped"
          title={`More than the ${whole(HELD_ROWS)} that are held while paused, or than this browser could take; they are stored`}
        />
        <span title={`At most ${whole(HELD_ROWS)} are held while paused`}>{whole(summary.held)} held</span>
        <span title={`The newest ${whole(SHOWN_ROWS)} stay`}>{whole(summary.shown)} shown</span>
      </span>
      <Spoken summary={summary} />
    </section>
  );
}

function Count({ of, name, title }: { of: number; name: string; title: string }) {
  return (
    <span title={title} className={of > 0 ? "text-warn" : "@max-3xl:hidden"}>
      {whole(of)} {name}
    </span>
  );
}

/** The list is not announced row by row; this is, every five seconds. */
function Spoken({ summary }: { summary: Summary }) {
  const [said, setSaid] = useState("");
  const [, words] = standing(summary);
  const text = summary.frozen
    ? `Paused, ${whole(summary.waiting)} new records`
    : `${words}, ${whole(summary.shown)} records shown, ${perSecond(summary.perSecond)}`;
  useEffect(() => {
    const timer = setTimeout(() => setSaid(text), said === "" ? 0 : SPOKEN_MS);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <span role="status" className="sr-only">
      {said}
    </span>
  );
}

function standing({ state, frozen, backfillComplete }: Summary): readonly [string, string] {
  if (state.kind === "open" && frozen) return ["bg-warn", "Paused"];
  if (state.kind === "open")
    return ["bg-good", backfillComplete ? "Live" : "Live; some earlier records are missing"];
  return NOT_OPEN[state.kind](state);
}

type Closed = Exclude<TailState, { kind: "open" }>;

const NOT_OPEN: { readonly [K in Closed["kind"]]: (state: Closed) => readonly [string, string] } = {
  connecting: () => ["bg-mute", "Connecting"],
  stopped: () => ["bg-mute", "Stopped"],
  asleep: () => ["bg-mute", "Resting until this page is looked at"],
  taken: () => ["bg-warn", "Other pages of this browser follow too much already"],
  refused: () => ["bg-error", "The server refused this query"],
  waiting: (state) => {
    const seconds =
      state.kind === "waiting" ? Math.max(0, Math.ceil((state.retryAtMs - Date.now()) / 1e3)) : 0;
    const reason = state.kind === "waiting" ? state.reason : "";
    return ["bg-error", `Connection lost (${reason}), trying again in ${seconds} s`];
  },
};
