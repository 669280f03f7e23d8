/** No row: why, and the next thing to try. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answered, api } from "@/api/client";
import { keepShared } from "@/app/kept";
import { fieldLabel } from "@/lib/fieldNames";
import { effectiveQuery, type Pill, pillWords } from "@/lib/filters";
import { whole } from "@/lib/format";
import { age, type TimeRange } from "@/lib/time";

interface EmptyProps {
  readonly text: string;
  readonly pills: readonly Pill[];
  readonly range: TimeRange;
  readonly onText: (text: string) => void;
  readonly onPills: (pills: readonly Pill[]) => void;
  readonly onRange: (range: TimeRange) => void;
}

const EVER: TimeRange = { from: "1970-01-01T00:00:00Z", to: "now+1d" };

export function Empty({ text, pills, range, onText, onPills, onRange }: EmptyProps) {
  const query = effectiveQuery(text, pills);
  const newest = useNewest(query);
  const anything = useNewest("");
  const inRange = useCount("", range);
  const found = newest.data?.records[0] as { timestamp: string } | undefined;
  if (anything.data && anything.data.records.length === 0) return <Nothing />;
  const on = pills.filter((pill) => !pill.off);
  return (
    <div className="mx-auto flex max-w-140 flex-col items-center gap-3 px-6 py-14 text-center">
      <p className="text-[15px] font-medium">No record matches</p>
      <p className="text-mute">{reason(inRange.data?.total, query)}</p>
      <div className="flex flex-wrap justify-center gap-2">
        {found ? (
          <Choice onClick={() => onRange(aroundMoment(found.timestamp))}>
            Go to the last match, {age(found.timestamp, Date.now())}
          </Choice>
        ) : null}
        {on.map((pill) => (
          <Choice
            key={`${pill.field} ${pill.exclude ? "not" : "is"}`}
            onClick={() => onPills(pills.filter((one) => one !== pill))}
          >
            Remove “{fieldLabel(pill.field)} {pill.exclude ? "is not" : "is"}{" "}
            <bdi>{pillWords(pill).slice(0, 40)}</bdi>”
          </Choice>
        ))}
        {text.trim() ? <Choice onClick={() => onText("")}>Clear the query</Choice> : null}
        {range.from !== "now-24h" ? (
          <Choice onClick={() => onRange({ from: "now-24h", to: "now" })}>Look at the last 24 hours</Choice>
        ) : null}
        {range.from !== "now-30d" ? (
          <Choice onClick={() => onRange({ from: "now-30d", to: "now" })}>Last 30 days</Choice>
        ) : null}
      </div>
      {newest.data && !found && query !== "" ? (
        <p className="text-[12px] text-mute">Nothing that is stored matches, at any time.</p>
      ) : null}
    </div>
  );
}

function reason(total: number | undefined, query: string): string {
  if (total === undefined) return "Looking for what is in the way…";
  if (total === 0) return "There are no records at all in this time range.";
  return query === ""
    ? "There are no records in this time range."
    : `This time range holds ${whole(total)} records, none of which matches all conditions.`;
}

function useNewest(query: string) {
  return useQuery({
    queryKey: ["newest", query],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/search", {
          params: { query: { query, ...EVER, limit: 1, count: false, truncate: 1 } },
          signal,
        }),
      ),
  });
}

function useCount(query: string, range: TimeRange) {
  return useQuery({
    queryKey: ["count", query, range.from, range.to],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/histogram", { params: { query: { query, ...range } }, signal })),
  });
}

/** A range that ends right after the moment. */
function aroundMoment(timestamp: string): TimeRange {
  const at = Date.parse(timestamp);
  return { from: new Date(at - 9e5).toISOString(), to: new Date(at + 1e3).toISOString() };
}

function Nothing() {
  return (
    <div className="flex flex-col items-center gap-3 px-6 py-14 text-center">
      <p className="text-[15px] font-medium">No logs yet</p>
      <p className="text-mute">Nothing has been stored so far.</p>
      <Link to="/" search={keepShared} className="rounded-md bg-accent px-3 py-1.5 text-accent-ink">
        Send the first log
      </Link>
    </div>
  );
}

function Choice({ onClick, children }: { onClick: () => void; children: React.ReactNode }) {
  return (
    <button
      type="button"
      onClick={onClick}
      className="rounded-md border border-line bg-panel px-2.5 py-1 hover:bg-raised"
    >
      {children}
    </button>
  );
}
