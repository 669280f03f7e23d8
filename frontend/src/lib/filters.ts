/**
 * Filter pills: what clicking on values makes. A pill is data; text is made of it in one place, by
 * `quote`, never pasted together. Several values of one pill are alternatives, pills are joined
 * by AND.
 */
import { fieldName, quote } from "./quote";

export interface Pill {
  readonly field: string;
  readonly values: readonly string[];
  readonly exclude?: boolean;
  readonly off?: boolean;
}

/** The query that the bar's text and the pills mean together; pipes stay at the end. */
export function effectiveQuery(text: string, pills: readonly Pill[]): string {
  const parts = pills.filter((pill) => !pill.off && pill.values.length > 0).map(pillText);
  if (parts.length === 0) return text;
  const [filter, pipes] = splitPipes(text);
  const typed = filter.trim();
  if (typed !== "" && typed !== "*") parts.unshift(`(${typed})`);
  return parts.join(" ") + (pipes ? ` ${pipes}` : "");
}

export function pillText(pill: Pill): string {
  const name = fieldName(pill.field);
  const exact = (value: string) => `${name}:${pill.field === "message" ? "=" : ""}${quote(value)}`;
  const any = pill.values.map(exact).join(" OR ");
  const text = pill.values.length > 1 ? `(${any})` : any;
  return pill.exclude ? `NOT ${text}` : text;
}

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
  const same = pills.find((pill) => pill.field === field && Boolean(pill.exclude) === exclude);
  const without = pills
    .map((pill) =>
      pill.field === field ? { ...pill, values: pill.values.filter((one) => one !== value) } : pill,
    )
    .filter((pill) => pill.values.length > 0);
  if (same?.values.includes(value)) return without;
  const target = without.findIndex((pill) => pill.field === field && Boolean(pill.exclude) === exclude);
  if (target < 0)
    return [...without, exclude ? { field, values: [value], exclude } : { field, values: [value] }];
  return without.map((pill, i) => (i === target ? { ...pill, values: [...pill.values, value] } : pill));
}
