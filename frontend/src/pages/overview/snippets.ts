/** How to send the first log, with this installation's real address in it. */
import type { Schema } from "@/api/client";

export interface Snippet {
  readonly name: string;
  readonly says: string;
  readonly code: string;
}

type Info = Pick<Schema["InfoAnswer"], "ingest_host" | "ingest_port" | "keys_required">;

const EVERYWHERE = new Set(["", "0.0.0.0", "::"]);

/** `page` is the host name under which this page was opened. */
export function ingestHost(info: Info, page: string): string {
  return EVERYWHERE.has(info.ingest_host) ? page : info.ingest_host;
}

export function snippetsOf(info: Info, page: string): readonly Snippet[] {
  const host = ingestHost(info, page).replace(/^\[|\]$/g, "");
  const address = `http://${host.includes(":") ? `[${host}]` : host}:${info.ingest_port}`;
  const keyed = <T>(lines: readonly T[]): readonly T[] => (info.keys_required ? lines : []);
  return [
    {
      name: "curl",
      says: "One JSON object, an array, or an object on each line; every other key becomes an attribute.",
      code: [
        `curl ${address}/logs \\`,
        ...keyed([`  -H "X-API-Key: $LOGSTREAM_API_KEY" \\`]),
        `  -d '{"level":"info","service":"hello","message":"my first log"}'`,
      ].join("\n"),
    },
    {
      name: "Python",
      says: "A logging handler that never makes your application wait; extra fields become attributes.",
      code: [
        "import logging",
        ...keyed(["import os"]),
        "from logstream.client import LogStreamHandler",
        "",
        "handler = LogStreamHandler(",
        `    "${address}",`,
        `    service="hello",`,
        ...keyed([`    api_key=os.environ["LOGSTREAM_API_KEY"],`]),
        ")",
        "logging.basicConfig(level=logging.INFO, handlers=[handler])",
        `logging.info("my first log", extra={"user": "ada"})`,
      ].join("\n"),
    },
    {
      name: "Fluent Bit",
      says: "An http output that sends what Fluent Bit collects, OpenTelemetry input included, as JSON lines.",
      code: [
        "[OUTPUT]",
        "    Name              http",
        "    Match             *",
        `    Host              ${host}`,
        `    Port              ${info.ingest_port}`,
        "    URI               /logs",
        "    Format            json_lines",
        "    Json_date_key     timestamp",
        "    Json_date_format  iso8601",
        "    Compress          gzip",
        ...keyed([`    Header            X-API-Key \${LOGSTREAM_API_KEY}`]),
      ].join("\n"),
    },
    {
      name: "Vector",
      says: "An http sink: put the names of your sources, OpenTelemetry's among them, into inputs.",
      code: [
        "[sinks.logstream]",
        `type = "http"`,
        `inputs = ["my_source"]`,
        `uri = "${address}/logs"`,
        `compression = "gzip"`,
        `encoding.codec = "json"`,
        `framing.method = "newline_delimited"`,
        ...keyed([`request.headers.X-API-Key = "\${LOGSTREAM_API_KEY}"`]),
      ].join("\n"),
    },
  ];
}
