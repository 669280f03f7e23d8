/** What the page makes of the API's patterns: their order, words for them, and queries. */
import type { Schema } from "@/api/client";
import { splitPipes } from "@/lib/filters";
import { percent, whole } from "@/lib/format";

export type PatternsAnswer = Schema["PatternsAnswer"];
export type Pattern = Schema["PatternAnswer"];
export type Token = Schema["TokenAnswer"];

export const SORTS = ["count", "change", "first", "last"] as const;
export type Sort = (typeof SORTS)[number];

const KEYS: Readonly<Record<Sort, (one: Pattern) => number>> = {
  count: (one) => one.count,
  // What is new has grown more than anything that was there.
  change: (one) => (one.new ? Number.MAX_VALUE : (one.change ?? 0)),
  first: (one) => Date.parse(one.first_seen),
  last: (one) => Date.parse(one.last_seen),
};

/** `-count`: largest first, as the API's own order; ties stay in that order. */
export function sorted(patterns: readonly Pattern[], sort: string | undefined): readonly Pattern[] {
  const { key, down } = sortOf(sort);
  const of = KEYS[key];
  return patterns.toSorted((a, b) => (down ? of(b) - of(a) : of(a) - of(b)));
}

export function sortOf(sort: string | undefined): { readonly key: Sort; readonly down: boolean } {
  const down = sort?.startsWith("-") ?? true;
  const key = SORTS.find((one) => one === sort?.replace("-", ""));
  return key ? { key, down } : { key: "count", down: true };
}

/** The next order when a column's head is pressed: largest first, then smallest first. */
export function nextSort(sort: string | undefined, column: Sort): string | undefined {
  const { key, down } = sortOf(sort);
  const next = key === column && down ? column : `-${column}`;
  return next === "-count" ? undefined : next;
}

/** A short name for the pattern in an address: the same for the same filter. */
export function keyOf(pattern: Pick<Pattern, "filter">): string {
  let hash = 0x811c9dc5;
  for (const char of pattern.filter) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0).toString(36);
}

/** The query's filter with only, or without, what the patterns' filters find. */
export function narrowed(query: string, filters: readonly string[], exclude: boolean): string {
  const typed = splitPipes(query)[0].trim();
  const kept = typed === "" || typed === "*" ? [] : [/\bOR\b/.test(typed) ? `(${typed})` : typed];
  return [...kept, ...filters.map((filter) => (exclude ? `NOT ${filter}` : filter))].join(" ");
}

export interface Noise {
  readonly patterns: readonly Pattern[];
  readonly share: number;
}

const NOISY = { most: 5, share: 0.4, quiet: new Set(["", "trace", "debug", "info"]) };

/** The few quiet patterns that are much of the volume; `null`: there is no such few. */
export function noiseOf(patterns: readonly Pattern[]): Noise | null {
  const quiet = sorted(patterns, undefined).filter((one) => NOISY.quiet.has(mainLevel(one)));
  const noisy = quiet.slice(0, NOISY.most);
  const share = noisy.reduce((sum, one) => sum + one.share, 0);
  return share >= NOISY.share && patterns.length > 2 * noisy.length ? { patterns: noisy, share } : null;
}

/** The level of most of its records. */
export function mainLevel(pattern: Pattern): string {
  return Object.entries(pattern.levels).reduce((most, one) => (one[1] > most[1] ? one : most), ["", 0])[0];
}

/** `▲ 12 %` against the window before. */
export function changeText(pattern: Pattern): string {
  const { change } = pattern;
  if (change === null) return "";
  const size = Math.abs(change);
  if (size < 0.005) return "±0";
  const amount = change >= 9.995 ? `×${whole(Math.round(change + 1))}` : percent(size, size < 0.1 ? 1 : 0);
  return `${change > 0 ? "▲" : "▼"} ${amount}`;
}

/** Shares below what a percent's tenth can show are not nothing. */
export const shareText = (share: number): string => (share > 0 && share < 0.001 ? "<0.1 %" : percent(share));

const KIND_WORDS: Readonly<Record<string, string>> = {
  num: "number",
  hex: "hexadecimal id",
  uuid: "UUID",
  ip: "IP address",
  duration: "duration",
  size: "size",
  time: "time",
  path: "path",
  url: "URL",
};

export const kindWords = (kind: string): string => KIND_WORDS[kind] ?? "text";

/** How many different values: `12 values`, `100 values or more`. */
export function distinctText(token: Token): string {
  const values = `${whole(token.distinct)} ${token.distinct === 1 ? "value" : "values"}`;
  return token.more ? `${values} or more` : values;
}

/** What the numbers are: all records counted, or an estimate. */
export function foundText(answer: PatternsAnswer): string {
  const patterns = `${whole(answer.patterns.length)} ${answer.patterns.length === 1 ? "pattern" : "patterns"}`;
  const counted = answer.exact ? "every record counted" : "counts are estimates";
  return `${patterns} in ${whole(answer.matched)} records · found by looking at ${whole(answer.sampled)} · ${counted}`;
}
