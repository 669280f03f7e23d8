/** A field that no record has, and the one that was perhaps meant. */
import { closest } from "@/lib/editDistance";
import { quote, unquote } from "@/lib/quote";

export interface Suggestion {
  /** As it was written. */
  readonly written: string;
  readonly meant: string;
  /** Where the name stands in the query. */
  readonly from: number;
  readonly to: number;
}

// Before pipes only: after them names are also those of columns.
const NAMES = /"(?:[^"\\]|\\.)*"(:)?|(?<![\w.@$/:"-])\/(?:[^/\\]|\\.)*\/|([A-Za-z_@$][\w.@$/-]*):(?!\/\/)/gs;

/** What the query language knows by itself, whether or not a record has it. */
const ALWAYS = [
  "timestamp",
  "level",
  "service",
  "message",
  "trace_id",
  "span_id",
  "severity_number",
  "trace_flags",
  "event_name",
  "scope.name",
  "scope.version",
  "scope_schema_url",
  "resource_schema_url",
];
const SYNONYMS =
  /^(?:msg|body|log|severity|lvl|severity_?text|severity_?number|service\.?_?name|trace\.?id|span\.?id|event\.?name)$/i;

interface Place {
  readonly written: string;
  readonly bare: string;
  readonly from: number;
}

/** Names in the filter that are none of the known ones, as queries write them, first to last. */
export function unknownNames(filter: string, known: readonly string[]): readonly Place[] {
  const all = new Set([...known, ...ALWAYS]);
  const found: Place[] = [];
  for (const match of filter.matchAll(NAMES)) {
    const quoted = match[1] ? match[0].slice(0, -1) : null;
    const written = quoted ?? match[2];
    if (!written) continue;
    const bare = quoted
      ? unquote(quoted)
      : written.replace(/^(?:attributes|resource|scope_attributes)\./, "");
    if (all.has(written) || all.has(bare) || all.has(quote(bare)) || SYNONYMS.test(bare)) continue;
    found.push({ written, bare, from: match.index });
  }
  return found;
}

/** Those of them that nearly are a field. */
export function didYouMean(filter: string, known: readonly string[]): readonly Suggestion[] {
  if (known.length === 0) return [];
  const names = [...new Set([...known, ...ALWAYS])];
  return unknownNames(filter, known).flatMap(({ written, bare, from }): Suggestion[] => {
    const meant = closest(bare, names);
    return meant ? [{ written, meant, from, to: from + written.length }] : [];
  });
}

/** The query with the name that was meant. */
export const corrected = (text: string, { from, to, meant }: Suggestion): string =>
  text.slice(0, from) + meant + text.slice(to);
