/**
 * Filter pills: what clicking on values makes. A pill is data; text is made of it in one place, by
 * `quote`, never pasted together. Several values of one pill are alternatives, pills are joined
 * by AND.
 */
import { fieldName, quote } from "./quote";

export interface Pill {
  readonly field: string;
  readonly values: readonly string[];
  /** A number from the first to the second, both included; `values` is then empty. */
  readonly range?: readonly [number, number];
  readonly exclude?: boolean;
  readonly off?: boolean;
  /** Stays when filters are cleared, and goes along to the next search. */
  readonly pinned?: boolean;
}

/** Whether the pill says anything. */
export const hasContent = (pill: Pill): boolean => pill.values.length > 0 || pill.range !== undefined;

/** The query that the bar's text and the pills mean together; pipes stay at the end. */
export function effectiveQuery(text: string, pills: readonly Pill[]): string {
  return joined(text, pills.filter((pill) => !pill.off && hasContent(pill)).map(pillText));
}

/** The text's filter and these, all of which must match; the text's pipes stay at the end. */
export function joined(text: string, filters: readonly string[]): string {
  if (filters.length === 0) return text;
  const [filter, pipes] = splitPipes(text);
  const typed = filter.trim();
  const all = typed !== "" && typed !== "*" ? [`(${typed})`, ...filters] : filters;
  return all.join(" ") + (pipes ? ` ${pipes}` : "");
}

export function pillText(pill: Pill): string {
  const name = fieldName(pill.field);
  const exact = (value: string) => `${name}:${pill.field === "message" ? "=" : ""}${quote(value)}`;
  const any = pill.values.map(exact).join(" OR ");
  const range = pill.range ? `${name}:[${pill.range.map(digits).join(" TO ")}]` : "";
  const text = range || (pill.values.length > 1 ? `(${any})` : any);
  return pill.exclude ? `NOT ${text}` : text;
}

/** A number as the query language reads it: `1e+21` has a sign that it would not. */
const digits = (value: number): string => String(value).replace("e+", "e");

/** Filter and pipes of a query's text: the first `|` outside quotes and regular expressions. */
export function splitPipes(text: string): readonly [string, string] {
  let quoted = "";
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? "";
    if (char === "\\" && quoted) i += 1;
    else if (quoted) quoted = char === quoted ? "" : quoted;
    else if (char === '"' || (char === "/" && /(^|[\s:(-])$/.test(text.slice(0, i)))) quoted = char;
    else if (char === "|") return [text.slice(0, i), text.slice(i)];
  }
  return [text, ""];
}

/** Include or exclude a value: the same again takes it away, the opposite flips it. */
export function toggled(
  pills: readonly Pill[],
  field: string,
  value: string,
  exclude: boolean,
): readonly Pill[] {
  const alike = (pill: Pill) => pill.field === field && !pill.range && Boolean(pill.exclude) === exclude;
  const same = pills.find(alike);
  const without = pills
    .map((pill) =>
      pill.field === field ? { ...pill, values: pill.values.filter((one) => one !== value) } : pill,
    )
    .filter(hasContent);
  if (same?.values.includes(value)) return without;
  const target = without.findIndex(alike);
  if (target < 0)
    return [...without, exclude ? { field, values: [value], exclude } : { field, values: [value] }];
  return without.map((pill, i) => (i === target ? { ...pill, values: [...pill.values, value] } : pill));
}

/** Only numbers of a field within the range; without one, any. */
export function ranged(
  pills: readonly Pill[],
  field: string,
  range: readonly [number, number] | null,
): readonly Pill[] {
  const others = pills.filter((pill) => !(pill.field === field && pill.range));
  return range ? [...others, { field, values: [], range }] : others;
}

/** What is left when filters are cleared. */
export const afterClearing = (pills: readonly Pill[]): readonly Pill[] => pills.filter((pill) => pill.pinned);

/** What a pill says of its field, in words. */
export function pillWords(pill: Pill): string {
  if (pill.range) return `${pill.range[0]} – ${pill.range[1]}`;
  return pill.values.map((value) => (value === "" ? "(empty)" : value)).join(" or ");
}
