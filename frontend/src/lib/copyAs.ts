/** A record, or several, as what people paste elsewhere. */
import type { LogRecord } from "@/api/client";
import { levelLabel } from "./levels";
import { plainText } from "./logText";

export type CopyFormat = "text" | "json" | "markdown";

export function copied(records: readonly LogRecord[], format: CopyFormat): string {
  if (format === "text") return records.map(asText).join("\n");
  if (format === "markdown") return asMarkdown(records);
  const [only] = records;
  return only && records.length === 1
    ? JSON.stringify(only, null, 2)
    : records.map((record) => JSON.stringify(record)).join("\n");
}

function asText(record: LogRecord): string {
  return `${record.timestamp} ${levelLabel(record.level)} ${record.service} ${plainText(record.message)}`;
}

function asMarkdown(records: readonly LogRecord[]): string {
  const rows = records.map((record) =>
    [record.timestamp, levelLabel(record.level), record.service, plainText(record.message)]
      .map(cell)
      .join(" | "),
  );
  return [
    "| time | level | service | message |",
    "|---|---|---|---|",
    ...rows.map((row) => `| ${row} |`),
  ].join("\n");
}

// What would end the cell, start markup or an element; a line break is the only element wanted.
const cell = (text: string): string => text.replace(/[\\`*_{}[\]<>|~#]/g, "\\$&").replace(/\r?\n/g, "<br>");

export interface CurlAsk {
  /** The API's address, without a slash at its end. */
  readonly base: string;
  readonly query: string;
  readonly from: string;
  readonly to: string;
  readonly keyRequired: boolean;
}

/** The search as a command line. It names the variable that holds the key, never the key. */
export function asCurl({ base, query, from, to, keyRequired }: CurlAsk): string {
  const key = keyRequired ? ' -H "X-API-Key: $LOGSTREAM_API_KEY"' : "";
  const given = [
    ["query", query],
    ["from", from],
    ["to", to],
  ].map(([name, value]) => ` \\\n  --data-urlencode ${shellQuote(`${name}=${value}`)}`);
  return `curl --get${key} ${shellQuote(`${base}/api/v1/search`)}${given.join("")}`;
}

/** One word to a POSIX shell, whatever it holds. */
export const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
