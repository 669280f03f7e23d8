/** What this browser keeps by itself, and how to be rid of it. */
import { useState } from "react";
import { defaultView, setDefaultView } from "@/lib/defaultView";
import { forgetFacetPins, keptFacetPins } from "@/lib/facetPins";
import { whole } from "@/lib/format";
import { forgetQueries, recentQueries } from "@/lib/recent";
import { forgetMyViews, useMyViews } from "@/lib/views";
import { Panel } from "@/ui/Panel";

export function KeptHere() {
  const mine = useMyViews();
  const [, again] = useState(0);
  const clear = (what: () => void) => () => {
    what();
    again((count) => count + 1);
  };
  return (
    <Panel title="What this browser keeps">
      <ul className="divide-y divide-line/60">
        <Kept what="Recent queries" count={recentQueries().length} onClear={clear(forgetQueries)} />
        <Kept what="Pinned fields" count={keptFacetPins().length} onClear={clear(forgetFacetPins)} />
        <Kept what="Private views and signals" count={mine.length} careful onClear={clear(forgetMyViews)} />
        <Kept
          what="The view that Explore opens with"
          count={defaultView() ? 1 : 0}
          onClear={clear(() => setDefaultView(null))}
        />
      </ul>
    </Panel>
  );
}

interface KeptProps {
  readonly what: string;
  readonly count: number;
  /** It cannot be had again: asked twice. */
  readonly careful?: boolean;
  readonly onClear: () => void;
}

function Kept({ what, count, careful = false, onClear }: KeptProps) {
  const [sure, setSure] = useState(!careful);
  return (
    <li className="flex min-h-8 items-center gap-3 py-1">
      {what}
      <span className="ml-auto text-mute tabular-nums">{count === 0 ? "none" : whole(count)}</span>
      <button
        type="button"
        aria-label={`${sure ? "Clear" : "Clear…"} ${what}`}
        disabled={count === 0}
        onClick={() => {
          if (sure) onClear();
          setSure(!careful || !sure);
        }}
        className={`h-6 min-w-14 rounded-md border border-line px-2 text-[12px] hover:bg-raised disabled:opacity-50 ${careful && sure ? "text-error" : "text-mute hover:text-ink"}`}
      >
        {careful ? (sure ? "Really clear" : "Clear…") : "Clear"}
      </button>
    </li>
  );
}
