/** How records flow from receiving to storing, what is in the way, and what to change. */
import { useMemo } from "react";
import { useShared } from "@/app/useShared";
import { seconds } from "@/lib/format";
import { pushed, useSource } from "@/lib/source";
import { DeadLetters } from "@/pages/pipeline/DeadLetters";
import { Flow } from "@/pages/pipeline/Flow";
import { BatchPanel, DatabasePanel, QueuePanel, ReceivePanel } from "@/pages/pipeline/Panels";
import { type Pipeline, panelLabel, windowS } from "@/pages/pipeline/pipeline";
import { StoragePanel } from "@/pages/pipeline/StoragePanel";
import { Icon } from "@/ui/icons";
import { Failure } from "@/ui/Panel";
import { Stale } from "@/ui/Stale";

export function PipelinePage() {
  const { range, zone } = useShared();
  const { from, to } = range;
  // Once for a range: one that grows with every second would be another stream with every second.
  const window_s = useMemo(() => windowS({ from, to }, Date.now()), [from, to]);
  const shown = useSource<Pipeline>(String(window_s), () =>
    pushed(`api/v1/pipeline/stream?window_s=${window_s}`, "pipeline"),
  );
  const { data, trouble } = shown;
  if (!data)
    return (
      <div className="p-4">
        {trouble ? (
          <Failure query={{ error: trouble.error, refetch: async () => shown.again() as never }} />
        ) : (
          <p className="py-6 text-center text-mute">Loading…</p>
        )}
      </div>
    );
  return (
    <div className="h-full overflow-auto">
      {trouble ? <Stale trouble={trouble} updatedAtMs={shown.updatedAtMs} onRetry={shown.again} /> : null}
      <div
        aria-busy={shown.old}
        className={`mx-auto flex max-w-[1800px] flex-col gap-3 p-3 ${shown.old ? "opacity-60" : ""}`}
      >
        <Summary pipeline={data} asked_s={window_s} />
        <Flow pipeline={data} />
        <div className="grid grid-cols-1 gap-3 sm:grid-cols-2 xl:grid-cols-4">
          <ReceivePanel pipeline={data} />
          <QueuePanel pipeline={data} />
          <BatchPanel pipeline={data} />
          <DatabasePanel pipeline={data} />
        </div>
        <div className="grid grid-cols-1 gap-3 lg:grid-cols-2">
          <StoragePanel pipeline={data} zone={zone} />
        </div>
        <DeadLetters waiting={data.dead_letters_waiting} zone={zone} />
      </div>
    </div>
  );
}

function Summary({ pipeline, asked_s }: { pipeline: Pipeline; asked_s: number }) {
  const grave = pipeline.warnings.filter((one) => one.severity !== "info");
  const panels = [...new Set(grave.map((one) => one.panel))];
  const colour = grave.some((one) => one.severity === "critical") ? "text-error" : "text-warn";
  return (
    <div className="flex flex-wrap items-center gap-x-2 px-1 text-[12px] text-mute">
      {grave.length === 0 ? (
        <span className="flex items-center gap-1.5 text-good">
          <Icon name="check" />
          Everything flows
        </span>
      ) : (
        <span className={`flex items-center gap-1.5 ${colour}`}>
          <Icon name="warn" />
          {grave.length === 1 ? "One thing needs you" : `${grave.length} things need you`}:
        </span>
      )}
      {panels.map((panel) => (
        <button
          key={panel}
          type="button"
          className="text-ink underline decoration-line underline-offset-2 hover:decoration-accent"
          onClick={() => document.getElementById(panelId(panel))?.scrollIntoView({ block: "start" })}
        >
          {panelLabel(panel)}
        </button>
      ))}
      <span className="ml-auto">
        Rates over the last {seconds(Math.round(pipeline.window_s))}
        {pipeline.window_s < asked_s - 10 ? ", since the start" : ""}
      </span>
    </div>
  );
}

/** Validation stands in the panel of receiving. */
const panelId = (panel: string): string => `panel-${panel === "validate" ? "receive" : panel}`;
