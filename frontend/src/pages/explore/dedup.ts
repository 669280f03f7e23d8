/** Rows that say the same as one above become a count on it. */
import type { LogRecord } from "@/api/client";
import { plainText } from "@/lib/logText";

export type Dedup = "exact" | "numbers" | undefined;

export interface Row {
  readonly record: LogRecord;
  /** How many of the loaded rows say this. */
  readonly count: number;
}

// Ids, hashes and numbers with their points: what differs between two of the same event.
const NUMBERS = /\b(?:0x)?[0-9a-f]*\d[0-9a-f-]*(?:[.:]\d+)*/gi;
const keys = { exact: new WeakMap<LogRecord, string>(), numbers: new WeakMap<LogRecord, string>() };

export function deduplicated(records: readonly LogRecord[], dedup: Dedup): readonly Row[] {
  if (!dedup) return records.map((record) => ({ record, count: 1 }));
  const counts = new Map<string, { record: LogRecord; count: number }>();
  for (const record of records) {
    const key = keyOf(record, dedup);
    const same = counts.get(key);
    if (same) same.count += 1;
    else counts.set(key, { record, count: 1 });
  }
  return [...counts.values()];
}

function keyOf(record: LogRecord, dedup: "exact" | "numbers"): string {
  const known = keys[dedup].get(record);
  if (known !== undefined) return known;
  const text = dedup === "exact" ? record.message : plainText(record.message).replace(NUMBERS, "#");
  const made = `${record.level}\0${record.service}\0${text}`;
  keys[dedup].set(record, made);
  return made;
}
