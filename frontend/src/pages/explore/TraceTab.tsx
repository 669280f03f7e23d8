/** All records of the same trace, from every service, in the order in which things happened. */
import { useQuery } from "@tanstack/react-query";
import { answered, api, type LogRecord } from "@/api/client";
import { whole } from "@/lib/format";
import type { Zone } from "@/lib/time";
import { NeighbourRow, openedAt } from "@/pages/explore/NeighbourRow";
import { sinceStart } from "@/pages/explore/offsets";
import { Failure } from "@/ui/Panel";

interface TraceTabProps {
  readonly record: LogRecord;
  readonly zone: Zone;
  readonly onOpen: (record: LogRecord) => void;
}

export function TraceTab({ record, zone, onOpen }: TraceTabProps) {
  const id = record.trace_id;
  const trace = useQuery({
    queryKey: ["trace", id],
    enabled: id !== "",
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/trace/{trace_id}", { params: { path: { trace_id: id } }, signal })),
  });
  if (id === "") return <p className="px-3 py-6 text-center text-mute">This record belongs to no trace.</p>;
  if (!trace.data) {
    return trace.isError ? (
      <div className="px-3">
        <Failure query={trace} />
      </div>
    ) : (
      <p className="px-3 py-6 text-center text-mute">Loading…</p>
    );
  }
  const { records, complete } = trace.data;
  const start = records[0]?.timestamp ?? record.timestamp;
  const services = new Set(records.map((one) => one.service)).size;
  return (
    <>
      <p className="border-b border-line px-3 py-2 text-[12px] text-mute tabular-nums">
        {whole(records.length)} records · {services} {services === 1 ? "service" : "services"} ·{" "}
        {sinceStart(start, records.at(-1)?.timestamp ?? start)} in all ·{" "}
        <span className="font-mono">{id}</span>
        {complete ? "" : " · only the newest are shown"}
      </p>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: hears the buttons inside, which have keys */}
      <ol
        onClick={(event) => {
          const opened = records[openedAt(event.target)];
          if (opened) onOpen(opened);
        }}
      >
        {records.map((one, i) => (
          <NeighbourRow
            key={one.id}
            at={i}
            record={one}
            zone={zone}
            anchor={one.id === record.id}
            lead={`+${sinceStart(start, one.timestamp)}`}
            withService
          />
        ))}
      </ol>
    </>
  );
}
