/** How records flow from receiving to storing, what is in the way, and what to change. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "@/api/client";
import { useShared } from "@/app/useShared";
import { seconds } from "@/lib/format";
import { DeadLetters } from "@/pages/pipeline/DeadLetters";
import { Flow } from "@/pages/pipeline/Flow";
import { BatchPanel, DatabasePanel, QueuePanel, ReceivePanel } from "@/pages/pipeline/Panels";
import { type Pipeline, panelLabel, windowS } from "@/pages/pipeline/pipeline";
import { StoragePanel } from "@/pages/pipeline/StoragePanel";
import { Icon } from "@/ui/icons";
import { Failure } from "@/ui/Panel";

/** The API pushes no pipeline; a look costs the store only its statistics. */
const EVERY_MS = 2_000;

export function PipelinePage() {
  const { range, zone } = useShared();
  const window_s = windowS(range, Date.now());
  const pipeline = useQuery({
    queryKey: ["pipeline", window_s],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/pipeline", { params: { query: { window_s } }, signal })),
    refetchInterval: EVERY_MS,
    placeholderData: (before) => before,
  });
  const { data } = pipeline;
  if (!data)
    return (
      <div className="p-4">
        {pipeline.isError ? (
          <Failure query={pipeline} />
        ) : (
          <p className="py-6 text-center text-mute">Loading…</p>
        )}
      </div>
    );
  return (
    <div className="h-full overflow-auto">
      {pipeline.isError ? (
        <p
          role="status"
          className="flex items-center gap-2 border-b border-line bg-raised px-4 py-1.5 text-warn"
        >
          <Icon name="warn" />
          Not updating: {pipeline.error.message}
        </p>
      ) : null}
      <div
        className={`mx-auto flex max-w-[1800px] flex-col gap-3 p-3 ${pipeline.isPlaceholderData ? "opacity-60" : ""}`}
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
