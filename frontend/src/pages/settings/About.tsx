/** What this installation is: version, parts in use, how long logs are kept. */
import { useQuery } from "@tanstack/react-query";
import { answered, api, type Schema } from "@/api/client";
import { bytes, seconds, whole } from "@/lib/format";
import { showTimestamp } from "@/lib/time";
import { Failure, Panel } from "@/ui/Panel";

export function About() {
  const info = useQuery({
    queryKey: ["info"],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/info", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const shelf = useQuery({
    queryKey: ["shelf"],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/shelf", { signal })),
    retry: false,
  });
  return (
    <Panel title="About" query={info}>
      {(about) => (
        <>
          <dl className="grid grid-cols-[7rem_minmax(0,1fr)] sm:grid-cols-[10rem_minmax(0,1fr)] gap-x-4 gap-y-1 pt-2">
            {facts(about).map(([name, value]) => (
              <Fact key={name} name={name} value={value} />
            ))}
            {shelf.data ? (
              <>
                <Fact
                  name="Shared views"
                  value={`${whole(shelf.data.views)} of ${whole(shelf.data.max_views)}`}
                />
                <Fact
                  name="Short links"
                  value={`${whole(shelf.data.shares)} of ${whole(shelf.data.max_shares)}, ${whole(shelf.data.shares_dropped)} dropped for newer ones or their age`}
                />
              </>
            ) : null}
          </dl>
          {shelf.isError ? <Failure query={shelf} /> : null}
          {(shelf.data?.set_aside ?? []).map(({ at, file }) => (
            <p key={file} role="alert" className="pt-2 text-warn">
              On {showTimestamp(at, "UTC", { date: true, digits: 0 })} UTC the file of shared views could not
              be read. It is kept as {file} in the data folder, and a new one was begun.
            </p>
          ))}
        </>
      )}
    </Panel>
  );
}

const Fact = ({ name, value }: { name: string; value: string }) => (
  <>
    <dt className="text-mute">{name}</dt>
    <dd className="min-w-0 break-words tabular-nums">{value}</dd>
  </>
);

const PARTS: Readonly<Record<string, string>> = {
  chdb: "ClickHouse in-process (chdb)",
  clickhouse: "ClickHouse",
  clickhouses: "ClickHouse over TLS",
  disk: "files on this disk",
  memory: "memory alone",
  mongodb: "MongoDB",
  "mongodb+srv": "MongoDB",
  redis: "Redis",
  rediss: "Redis over TLS",
  "redis+cluster": "Redis Cluster",
};

function facts(about: Schema["InfoAnswer"]): readonly (readonly [string, string])[] {
  const size = about.retention_size_bytes;
  return [
    ["Version", `LogStream AI ${about.version}`],
    ["Store", PARTS[about.store] ?? about.store],
    ["Broker", PARTS[about.broker] ?? about.broker],
    ["Logs are kept", `${seconds(about.retention_s)}${size > 0 ? `, at most ${bytes(size)}` : ""}`],
    [
      "One query may take",
      `${seconds(about.query_timeout_s)} and ${bytes(about.query_memory_bytes)} of memory`,
    ],
    ["Access keys", about.keys_required ? "asked for" : "none: only this machine is served"],
  ];
}
