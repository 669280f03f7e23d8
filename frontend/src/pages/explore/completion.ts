/** What can be completed where the cursor stands in a query. Pure: the editor asks, the API answers. */

export type Spot =
  | { readonly kind: "field"; readonly from: number; readonly prefix: string; readonly inPipe: boolean }
  | { readonly kind: "value"; readonly from: number; readonly prefix: string; readonly field: string }
  | { readonly kind: "pipe"; readonly from: number; readonly prefix: string };

export interface Word {
  readonly label: string;
  readonly detail: string;
  /** What is written, where it is not the label. */
  readonly apply?: string;
}

export const PIPES: readonly Word[] = [
  { label: "stats", detail: "count() by service", apply: "stats " },
  { label: "top", detail: "commonest values", apply: "top 10 " },
  { label: "sort", detail: "-column: descending", apply: "sort " },
  { label: "limit", detail: "first rows", apply: "limit " },
  { label: "fields", detail: "keep columns", apply: "fields " },
];

export const FUNCTIONS: readonly Word[] = [
  { label: "count()", detail: "records" },
  { label: "uniq()", detail: "different values", apply: "uniq(" },
  { label: "sum()", detail: "of numbers", apply: "sum(" },
  { label: "avg()", detail: "of numbers", apply: "avg(" },
  { label: "min()", detail: "of numbers, or timestamp", apply: "min(" },
  { label: "max()", detail: "of numbers, or timestamp", apply: "max(" },
  { label: "p50()", detail: "percentile", apply: "p50(" },
  { label: "p95()", detail: "percentile", apply: "p95(" },
  { label: "p99()", detail: "percentile", apply: "p99(" },
  { label: "bin(1m)", detail: "time in steps" },
  { label: "by", detail: "groups", apply: "by " },
];

export function operators(field: string, numeric: boolean): readonly Word[] {
  const exists = { label: "*", detail: "has the field" };
  if (field === "level") return [{ label: ">=", detail: "this grave or graver" }, exists];
  if (!numeric) return [exists, { label: "/…/", detail: "regular expression", apply: "/" }];
  return [
    { label: ">=", detail: "number" },
    { label: "<", detail: "number" },
    { label: "[… TO …]", detail: "between numbers", apply: "[" },
    exists,
  ];
}

const NAME = /^(?:[A-Za-z_@$][\w.@$/-]*|(?:(?:attributes|resource|scope_attributes)\.)?"(?:[^"\\]|\\.)*")$/s;

/** `null`: nothing to offer there (inside a quoted text, a regular expression, a number). */
export function spotAt(text: string, at: number): Spot | null {
  const before = text.slice(0, at);
  let token = 0;
  let quoted = -1;
  let pipe = -1;
  const groups: string[] = [];
  for (let i = 0; i < before.length; i += 1) {
    const char = before[i] ?? "";
    if (quoted >= 0) {
      if (char === "\\") i += 1;
      else if (char === before[quoted]) quoted = -1;
    } else if (char === '"' || (char === "/" && (i === token || before[i - 1] === ":"))) quoted = i;
    else if (/[\s,]/.test(char)) token = i + 1;
    else if (char === "(") {
      groups.push(groupField(before.slice(token, i)) || (groups.at(-1) ?? ""));
      token = i + 1;
    } else if (char === ")") {
      groups.pop();
      token = i + 1;
    } else if (char === "|") {
      pipe = i;
      groups.length = 0;
      token = i + 1;
    } else if (char === "-" && i === token) token = i + 1;
  }
  const word = before.slice(token);
  if (pipe >= 0) return pipeSpot(before, pipe, token, word, quoted);
  const group = groups.at(-1) ?? "";
  const colon = quoted >= 0 && quoted === token ? -1 : nameEnd(word);
  if (group && colon < 0) return valueSpot(group, token, word, quoted);
  if (colon >= 0) return valueSpot(word.slice(0, colon), token + colon + 1, word.slice(colon + 1), quoted);
  if (quoted >= 0) return null;
  return { kind: "field", from: token, prefix: word, inPipe: false };
}

function pipeSpot(before: string, pipe: number, from: number, word: string, quoted: number): Spot | null {
  if (quoted >= 0) return null;
  if (/^\s*\w*$/.test(before.slice(pipe + 1))) return { kind: "pipe", from, prefix: word };
  const sign = /^-/.test(word) ? 1 : 0;
  return { kind: "field", from: from + sign, prefix: word.slice(sign), inPipe: true };
}

/** Where a name ends and its value begins, or -1. */
function nameEnd(word: string): number {
  for (let i = word.indexOf(":"); i >= 0; i = word.indexOf(":", i + 1)) {
    if (NAME.test(word.slice(0, i))) return i;
  }
  return -1;
}

const groupField = (word: string): string =>
  word.endsWith(":") && NAME.test(word.slice(0, -1)) ? word.slice(0, -1) : "";

function valueSpot(field: string, from: number, written: string, quoted: number): Spot | null {
  const sign = /^(?:[<>]=?|=|-)/.exec(written)?.[0].length ?? 0;
  const value = written.slice(sign);
  if (/^[/[{]/.test(value)) return null;
  const open = value.startsWith('"');
  // A quoted value that has ended is whole.
  if (open && quoted < 0) return null;
  return { kind: "value", field, from: from + sign, prefix: open ? value.slice(1) : value };
}

/** A value as it is written after `field:`: in quotes where it needs them. */
export const needsQuotes = (value: string): boolean =>
  !/^[A-Za-z0-9_][A-Za-z0-9_.@/-]*$/.test(value) || /^(?:AND|OR|NOT|TO)$/.test(value);

/** What was typed before the term at the cursor, where that is a whole filter; else nothing. */
export function filterBefore(text: string, valueFrom: number): string {
  const before = text.slice(0, valueFrom).replace(/\S*$/, "").trim();
  const bare = before.replace(/"(?:[^"\\]|\\.)*"/gs, "");
  const whole = !/["|/[\]{}]/.test(bare) && !/(?:^|\s)(?:OR|AND|NOT)$/.test(bare) && balanced(bare);
  return whole ? before : "";
}

function balanced(text: string): boolean {
  let depth = 0;
  for (const char of text) {
    if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}
