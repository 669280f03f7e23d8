/** What the pipeline page says, apart from how it looks. */
import type { Schema } from "@/api/client";
import { compact, seconds } from "@/lib/format";
import { resolveMs, type TimeRange } from "@/lib/time";

export type Pipeline = Schema["PipelineAnswer"];
export type Advice = Schema["Advice"];
export type Severity = Advice["severity"];

export interface Step {
  readonly name: string;
  readonly label: string;
  readonly does: string;
}

export const STEPS: readonly Step[] = [
  { name: "receive", label: "Receive", does: "Requests are taken in" },
  { name: "validate", label: "Validate", does: "Records are checked, the rest refused by name" },
  { name: "queue", label: "Queue", does: "Safe on disk, then acknowledged" },
  { name: "batch", label: "Batch", does: "Gathered into few large writes" },
  { name: "database", label: "Database", does: "Written once and searchable" },
];

const PANELS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(STEPS.map((step) => [step.name, step.label])),
  storage: "Storage",
};

export const panelLabel = (name: string): string => PANELS[name] ?? name;

const GRAVITY: readonly Severity[] = ["critical", "warning", "info"];

/** The gravest severity among the advice for these panels. */
export function severityOf(warnings: readonly Advice[], panels: readonly string[]): Severity | null {
  const found = warnings.filter((one) => panels.includes(one.panel)).map((one) => one.severity);
  return GRAVITY.find((severity) => found.includes(severity)) ?? null;
}

export const OLDEST_WINDOW_S = 3_600;

/** The width of the page's time range, in what the platform keeps of its own numbers. */
export function windowS(range: TimeRange, nowMs: number): number {
  const from = resolveMs(range.from, nowMs) ?? nowMs - 9e5;
  const to = resolveMs(range.to, nowMs) ?? nowMs;
  return Math.min(OLDEST_WINDOW_S, Math.max(10, Math.round((to - from) / 1e3)));
}

export const perSecond = (value: number | null): string =>
  value === null ? "–" : `${value < 10 ? value.toFixed(1) : compact(value)}`;

export const duration = (value: number | null): string => (value === null ? "–" : seconds(value));

const REASONS: Readonly<Record<string, string>> = {
  age: "old enough",
  rows: "enough records",
  bytes: "enough bytes",
  replay: "repeated after a restart",
  stop: "stopping",
  bad_json: "not JSON",
  bad_utf8: "not UTF-8",
  not_an_object: "not an object",
  empty: "empty",
  bad_timestamp: "time does not parse",
  too_old: "too old",
  too_new: "too far ahead",
  too_deep: "nested too deep",
  too_many_attributes: "too many attributes",
  key_too_long: "key too long",
  "200": "200 answered",
  "202": "202 accepted",
  "400": "400 nothing acceptable",
  "401": "401 no or wrong key",
  "404": "404 no such path",
  "405": "405 wrong method",
  "408": "408 body came too slowly",
  "411": "411 no length",
  "413": "413 too large",
  "415": "415 unknown coding",
  "503": "503 queue full or stopping",
};

/** A metric's label as words. */
export const reasonLabel = (reason: string): string =>
  REASONS[reason] ?? (reason.replaceAll("_", " ") || "unnamed");

/** `1 write for 191 records`. */
export function oneWriteFor(saved: number | null): string {
  if (saved === null || saved >= 1) return "–";
  return `1 write for ${compact(Math.round(1 / (1 - saved)))} records`;
}

/** When something is full; the far future is "not in sight". */
export function fullIn(value: number | null): string {
  if (value === null) return "not growing";
  return value > 30 * 86_400 ? "over a month" : seconds(value);
}
