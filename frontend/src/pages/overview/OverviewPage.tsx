/** The state at a glance, as it changes. */
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { ApiError } from "@/api/client";
import { useShared } from "@/app/useShared";
import { LevelHistogram } from "@/charts/LevelHistogram";
import { DEFAULT_RANGE, rangeLabel } from "@/lib/time";
import { FirstRun } from "@/pages/overview/FirstRun";
import { NewestErrors } from "@/pages/overview/NewestErrors";
import { NothingHere } from "@/pages/overview/NothingHere";
import { ServiceBars } from "@/pages/overview/ServiceBars";
import { Tiles } from "@/pages/overview/Tiles";
import { useExploreLink } from "@/pages/overview/useExploreLink";
import { type Overview, type OverviewAnswer, useOverview } from "@/pages/overview/useOverview";
import { Failure, Panel } from "@/ui/Panel";
import { Part } from "@/ui/Part";
import { Stale } from "@/ui/Stale";

export function OverviewPage() {
  const { range } = useShared();
  const overview = useOverview(range);
  const { data, trouble } = overview;
  const [waiting, setWaiting] = useState(false);
  const openOverview = useCallback(() => setWaiting(false), []);
  if (data?.stored_records === 0 && !waiting) setWaiting(true);
  if (!data) return <div className="p-4">{trouble ? <NoOverview overview={overview} /> : <Skeleton />}</div>;
  if (waiting) return <FirstRun arrived={(data.stored_records ?? 0) > 0} onDone={openOverview} />;
  return (
    <div className="h-full overflow-auto">
      {trouble ? (
        <Stale trouble={trouble} updatedAtMs={overview.updatedAtMs} onRetry={overview.again} />
      ) : null}
      <div
        aria-busy={overview.old}
        className={`mx-auto flex max-w-[1800px] flex-col gap-3 p-3 ${overview.old ? "opacity-60" : ""}`}
      >
        <Tiles overview={data} onRetry={overview.again} />
        <Details overview={data} onRetry={overview.again} />
      </div>
    </div>
  );
}

interface DetailsProps {
  readonly overview: OverviewAnswer;
  readonly onRetry: () => void;
}

function Details({ overview, onRetry }: DetailsProps) {
  const { zone } = useShared();
  const navigate = useNavigate();
  const explore = useExploreLink();
  const { volume, failed } = overview;
  const errors = (volume?.buckets ?? []).reduce(
    (sum, { counts }) => sum + (counts.error ?? 0) + (counts.fatal ?? 0),
    0,
  );
  return (
    <>
      <section aria-label="Volume by level" className="rounded-lg border border-line bg-panel px-1 pt-2 pb-1">
        {volume ? null : <h2 className="px-2 text-[12px] font-medium text-mute">Volume by level</h2>}
        <div className={failed.volume ? "px-2" : ""}>
          <Part value={volume} error={failed.volume} onRetry={onRetry}>
            {(answer) =>
              answer.total === 0 ? (
                <NothingHere />
              ) : (
                <LevelHistogram
                  title="Volume by level"
                  answer={answer}
                  zone={zone}
                  height={196}
                  onRange={(from, to) => void navigate({ to: "/explore", search: explore({ from, to }) })}
                />
              )
            }
          </Part>
        </div>
      </section>
      <div className="grid grid-cols-1 gap-3 sm:grid-cols-2 xl:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_minmax(0,2.2fr)]">
        <Panel title="Errors by service">
          <Part value={overview.errors_by_service} error={failed.errors_by_service} onRetry={onRetry}>
            {(values) => (
              <ServiceBars
                values={values}
                total={errors}
                fill="--fill-error"
                query="level:>=error"
                empty="No errors in this range"
              />
            )}
          </Part>
        </Panel>
        <Panel title="Noisiest services">
          <Part value={overview.noisiest_services} error={failed.noisiest_services} onRetry={onRetry}>
            {(values) => (
              <ServiceBars
                values={values}
                total={volume?.total ?? 0}
                fill="--fill-info"
                query=""
                empty="No logs in this range"
              />
            )}
          </Part>
        </Panel>
        <Panel title="Newest errors" className="sm:col-span-2 xl:col-span-1">
          <Part value={overview.newest_errors} error={failed.newest_errors} onRetry={onRetry}>
            {(records) => <NewestErrors records={records} zone={zone} />}
          </Part>
        </Panel>
      </div>
    </>
  );
}

/** What a mistyped link needs is another range; what a server's trouble needs is another try. */
function NoOverview({ overview: { trouble, again } }: { overview: Overview }) {
  const error = trouble?.error ?? null;
  const { zone, setRange } = useShared();
  return (
    <>
      <Failure query={{ error, refetch: async () => again() as never }} />
      {error instanceof ApiError && error.status === 400 ? (
        <button
          type="button"
          className="rounded-md border border-line px-3 py-1 hover:bg-raised"
          onClick={() => setRange(DEFAULT_RANGE)}
        >
          Show the {rangeLabel(DEFAULT_RANGE, zone).toLowerCase()}
        </button>
      ) : null}
    </>
  );
}

const TILE_KEYS = ["a", "b", "c", "d", "e", "f"];

function Skeleton() {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-3">
      <div className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
        {TILE_KEYS.map((key) => (
          <div key={key} className="h-[124px] rounded-lg border border-line bg-panel" />
        ))}
      </div>
      <div className="h-[236px] rounded-lg border border-line bg-panel" />
    </div>
  );
}
