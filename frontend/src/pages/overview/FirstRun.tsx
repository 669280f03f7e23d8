/** Nothing is stored yet: how to send the first log, and a dot that turns live when it comes. */
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { answered, api, type Schema } from "@/api/client";
import { pushed, useSource } from "@/lib/source";
import { type Snippet, snippetsOf } from "@/pages/overview/snippets";
import { CopyButton } from "@/ui/CopyButton";
import { LogText } from "@/ui/LogText";
import { Failure } from "@/ui/Panel";

type TailRecord = Schema["TailRecord"];

/** How long the arrival stays to be seen before the Overview takes its place. */
const SEEN_MS = 1_500;

export function FirstRun({ arrived, onDone }: { arrived: boolean; onDone: () => void }) {
  const info = useQuery({
    queryKey: ["info"],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/info", { signal })),
  });
  const first = useFirstRecord();
  useEffect(() => {
    if (!arrived) return;
    const later = setTimeout(onDone, SEEN_MS);
    return () => clearTimeout(later);
  }, [arrived, onDone]);
  return (
    <div className="h-full overflow-auto">
      <div className="mx-auto flex max-w-[760px] flex-col gap-5 px-4 pt-[8vh] pb-8">
        <header>
          <h2 className="text-[20px] font-semibold tracking-tight">Send your first log</h2>
          <p className="text-mute">It is on this page a moment after it is sent.</p>
        </header>
        {info.data ? <Snippets snippets={snippetsOf(info.data, location.hostname)} /> : null}
        {info.isError ? <Failure query={info} /> : null}
        <Waiting live={arrived || first !== null} first={first} />
        <p className="text-mute">
          No logs at hand? <code className="font-mono text-[12px] text-ink">logstream up --simulate</code>{" "}
          shows everything with simulated traffic.
        </p>
      </div>
    </div>
  );
}

function Waiting({ live, first }: { live: boolean; first: TailRecord | null }) {
  return (
    <div
      role="status"
      className="flex min-w-0 items-center gap-2.5 rounded-lg border border-line bg-panel px-3 py-2.5"
    >
      <span aria-hidden="true" className="relative flex h-2.5 w-2.5 shrink-0">
        {live ? null : <span className="absolute inset-0 animate-ping rounded-full bg-warn opacity-60" />}
        <span className={`relative h-2.5 w-2.5 rounded-full ${live ? "bg-good" : "bg-warn"}`} />
      </span>
      {live ? (
        <>
          <span className="shrink-0 font-medium text-good">The first log is here</span>
          {first ? (
            <span className="truncate font-mono text-[12px] text-mute">
              <bdi>{first.service}</bdi> <LogText text={first.message.slice(0, 200)} />
            </span>
          ) : null}
        </>
      ) : (
        <span>Waiting for the first log…</span>
      )}
    </div>
  );
}

/** From the live tail, so that a log is seen before it is even stored. */
function useFirstRecord(): TailRecord | null {
  const tail = useSource<Schema["TailRows"]>("", () => pushed("api/v1/tail?backfill=1", "rows"));
  const [first, setFirst] = useState<TailRecord | null>(null);
  const newest = tail.data?.rows[0];
  if (!first && newest) setFirst(newest);
  return first;
}

function Snippets({ snippets }: { snippets: readonly Snippet[] }) {
  const [at, setAt] = useState(0);
  const id = useId();
  const shown = snippets[at];
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (at + step + snippets.length) % snippets.length;
    setAt(next);
    document.getElementById(`${id}tab${next}`)?.focus();
  };
  if (!shown) return null;
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-panel">
      <div className="flex items-center justify-between gap-2 border-b border-line pr-2 pl-1">
        <div role="tablist" aria-label="Ways to send logs" className="flex" onKeyDown={onKeyDown}>
          {snippets.map((one, i) => (
            <button
              key={one.name}
              id={`${id}tab${i}`}
              type="button"
              role="tab"
              aria-selected={i === at}
              aria-controls={`${id}panel`}
              tabIndex={i === at ? 0 : -1}
              onClick={() => setAt(i)}
              className="-mb-px border-b-2 border-transparent px-3 py-2 text-mute hover:text-ink aria-selected:border-accent aria-selected:text-ink"
            >
              {one.name}
            </button>
          ))}
        </div>
        <CopyButton text={shown.code} label={`Copy the ${shown.name} snippet`} />
      </div>
      <div id={`${id}panel`} role="tabpanel" aria-labelledby={`${id}tab${at}`}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line must be scrollable by keyboard */}
        <pre tabIndex={0} className="min-h-[212px] overflow-auto px-4 py-3 font-mono text-[12.5px] leading-5">
          {shown.code}
        </pre>
        <p className="border-t border-line px-4 py-2 text-mute">{shown.says}</p>
      </div>
    </div>
  );
}
