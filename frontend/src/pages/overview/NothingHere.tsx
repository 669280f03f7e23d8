/** Why a range is empty: where the stored records are, and a button that goes there. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "@/api/client";
import { useShared } from "@/app/useShared";
import { age, rangeLabel, type TimeRange } from "@/lib/time";

export function NothingHere() {
  const { range, zone, setRange } = useShared();
  const pipeline = useQuery({
    queryKey: ["pipeline", "newest"],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/pipeline", { signal })),
  });
  const newest = pipeline.data?.storage?.newest;
  return (
    <div className="flex flex-col items-center gap-2 py-10 text-center">
      <p className="text-[14px]">No logs: {rangeLabel(range, zone)}</p>
      {newest ? (
        <>
          <p className="text-mute">The newest record is from {age(newest, Date.now())}.</p>
          <button
            type="button"
            className="rounded-md border border-line px-3 py-1 hover:bg-raised"
            onClick={() => setRange(hourUntil(newest, Date.now()))}
          >
            Show the hour until then
          </button>
        </>
      ) : null}
    </div>
  );
}

/** Relative where that says the same, so that the page goes on living. */
function hourUntil(newest: string, nowMs: number): TimeRange {
  const end = Date.parse(newest) + 1_000;
  if (nowMs - end < 6e5) return { from: "now-1h", to: "now" };
  return { from: new Date(end - 3.6e6).toISOString(), to: new Date(end).toISOString() };
}
