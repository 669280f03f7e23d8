/**
 * Fields of a record, each with the name by which a query finds exactly it. A bare name is looked
 * up in the record's own attributes first, then in the resource's, then in the scope's.
 */
import type { LogRecord } from "@/api/client";
import { isBareName, quote, unquote } from "./quote";

export type FieldGroup = "record" | "attributes" | "resource" | "scope";

export interface RecordField {
  /** As a query writes it. */
  readonly name: string;
  /** As the sender wrote it. */
  readonly label: string;
  readonly value: string;
  readonly group: FieldGroup;
}

type Own = Exclude<
  keyof LogRecord,
  "attributes" | "resource" | "scope_attributes" | "truncated" | "message_bytes" | "id"
>;

const OWN: readonly (readonly [name: string, member: Own])[] = [
  ["timestamp", "timestamp"],
  ["level", "level"],
  ["severity_number", "severity_number"],
  ["service", "service"],
  ["message", "message"],
  ["trace_id", "trace_id"],
  ["span_id", "span_id"],
  ["trace_flags", "trace_flags"],
  ["event_name", "event_name"],
  ["scope.name", "scope_name"],
  ["scope.version", "scope_version"],
  ["scope_schema_url", "scope_schema_url"],
  ["resource_schema_url", "resource_schema_url"],
];

const SYNONYMS: Readonly<Record<string, string>> = {
  msg: "message",
  body: "message",
  Body: "message",
  log: "message",
  severity: "level",
  lvl: "level",
  severity_text: "level",
  SeverityText: "level",
  severityText: "level",
  SeverityNumber: "severity_number",
  severityNumber: "severity_number",
  "service.name": "service",
  service_name: "service",
  ServiceName: "service",
  serviceName: "service",
  TraceId: "trace_id",
  traceId: "trace_id",
  traceID: "trace_id",
  traceid: "trace_id",
  "trace.id": "trace_id",
  SpanId: "span_id",
  spanId: "span_id",
  spanID: "span_id",
  spanid: "span_id",
  "span.id": "span_id",
  EventName: "event_name",
  eventName: "event_name",
  "event.name": "event_name",
};

const PIPE_WORDS = new Set(["as", "asc", "by", "desc"]);
const CANONICAL = new Map<string, Own>(OWN);

/** Every field that has a value, the record's own first, attributes in order of name. */
export function recordFields(record: LogRecord): readonly RecordField[] {
  const own = OWN.flatMap(([name, member]): RecordField[] => {
    const value = record[member];
    return value === undefined || value === "" || value === 0
      ? []
      : [{ name, label: name, value: String(value), group: "record" }];
  });
  const sets = [
    ["attributes", record.attributes, "attributes"],
    ["resource", record.resource, "resource"],
    ["scope", record.scope_attributes ?? {}, "scope_attributes"],
  ] as const;
  const seen = new Set<string>();
  const attributes = sets.flatMap(([group, set, prefix]) =>
    Object.keys(set)
      .sort()
      .map((key): RecordField => {
        const name = seen.has(key) ? `${prefix}.${bare(key) ? key : quote(key)}` : anyName(key);
        seen.add(key);
        return { name, label: key, value: set[key] ?? "", group };
      }),
  );
  return [...own, ...attributes];
}

/** The name that finds the first attribute of a key, never a record's own field. */
function anyName(key: string): string {
  const taken =
    CANONICAL.has(key) || key in SYNONYMS || /^(attributes|resource|scope_attributes)\./.test(key);
  return bare(key) && !taken ? key : quote(key);
}

const bare = (key: string): boolean => isBareName(key) && !PIPE_WORDS.has(key);

/** The value a record has for a field as a query writes it; `null`: it has none. */
export function fieldValue(record: LogRecord, name: string): string | null {
  const own = CANONICAL.get(name);
  if (own) return shown(record[own]);
  const [, prefix, rest = ""] = /^(attributes|resource|scope_attributes)\.(.+)$/s.exec(name) ?? [];
  if (prefix === "attributes" || prefix === "resource" || prefix === "scope_attributes") {
    return at(record[prefix], key(rest));
  }
  const found = key(name);
  const attribute =
    at(record.attributes, found) ?? at(record.resource, found) ?? at(record.scope_attributes, found);
  const canonical = CANONICAL.get(SYNONYMS[name] ?? "");
  return attribute ?? (canonical ? shown(record[canonical]) : null);
}

const key = (written: string): string => (written.startsWith('"') ? unquote(written) : written);
const at = (set: Readonly<Record<string, string>> | undefined, name: string): string | null =>
  set && Object.hasOwn(set, name) ? (set[name] ?? null) : null;
const shown = (value: string | number | undefined): string | null =>
  value === undefined || value === "" || value === 0 ? null : String(value);

/** A heading: without the quotes that a query needs, but never nothing. */
export const fieldLabel = (name: string): string =>
  name.startsWith('"') && name.length > 2 ? unquote(name) : name;

/** As it stands in a list of names, which commas separate. */
export const inList = (name: string): string =>
  name.includes(",") && !name.startsWith('"') ? `"${name}"` : name;
