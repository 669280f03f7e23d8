/** Rows that say the same as one above become a count on it. */
import type { LogRecord } from "@/api/client";
import { plainText } from "@/lib/logText";

export type Dedup = "exact" | "numbers" | "signature";

export interface Row {
  readonly record: LogRecord;
  /** How many of the loaded rows say this. */
  readonly count: number;
}

// Ids, hashes and numbers with their points: what differs between two of the same event.
const NUMBERS = /\b(?:0x)?[0-9a-f]*\d[0-9a-f-]*(?:[.:]\d+)*/gi;
// What stands in quotes, behind a sign of equality, or in a path is what the event was about.
const QUOTED = /"(?:[^"\\]|\\.)*"|'[^'\n]*'|`[^`]*`/g;
const ASSIGNED = /([\w.-]=|[\w.-]:\s?)[^\s,;()[\]{}]+/g;
const PATH = /(?:\b\w+:\/)?(?:\/[^\s/,;:)\]}"']+)+\/?/g;
const keys: Readonly<Record<Dedup, WeakMap<LogRecord, string>>> = {
  exact: new WeakMap(),
  numbers: new WeakMap(),
  signature: new WeakMap(),
};

export function deduplicated(records: readonly LogRecord[], dedup: Dedup | undefined): readonly Row[] {
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

function keyOf(record: LogRecord, dedup: Dedup): string {
  const known = keys[dedup].get(record);
  if (known !== undefined) return known;
  const text = dedup === "exact" ? record.message : shape(plainText(record.message), dedup);
  const made = `${record.level}\0${record.service}\0${text}`;
  keys[dedup].set(record, made);
  return made;
}

function shape(text: string, dedup: "numbers" | "signature"): string {
  if (dedup === "numbers") return text.replace(NUMBERS, "#");
  const head = text.slice(0, SHAPE_CHARS);
  const bare = head.replace(QUOTED, "*").replace(PATH, "*").replace(ASSIGNED, "$1*").replace(NUMBERS, "*");
  // Lists of any length are alike.
  return bare.replace(/\*(?:[\s,;]+\*)+/g, "*");
}

/** A record's event shows in how it begins; the rest is often a stack or a dump. */
const SHAPE_CHARS = 400;
