/** The table of a query with `bin(…)` as lines over time: one for each group, or for each function. */
import { splitPipes } from "@/lib/filters";
import { LEVELS, levelFill, levelLabel } from "@/lib/levels";
import { durationMs } from "@/lib/time";
import { isNumeric, type TableRow, type TableValue } from "@/pages/explore/tableRows";

export interface Line {
  /** Unlike any other's. */
  readonly key: string;
  readonly label: string;
  /** The CSS variable of its colour. */
  readonly fill: string;
  /** Of whole numbers: it has an axis of its own, on the right, beside lines that are measured. */
  readonly counted: boolean;
  /** One for each bin; `null`: there was nothing to measure. */
  readonly values: readonly (number | null)[];
}

export interface TimeLines {
  /** What is drawn, in words: `count() by service`. */
  readonly title: string;
  /** The columns whose numbers are drawn. */
  readonly columns: readonly string[];
  readonly first_ms: number;
  readonly bin_ms: number;
  readonly bins: number;
  /** The largest first, levels in their order. */
  readonly lines: readonly Line[];
  readonly leftOut: number;
}

export const MOST_LINES = 12;
/** As many rows as a table has at most: of more bins it would not tell. */
const MOST_BINS = 10_000;

export interface TableQuestion {
  readonly query: string;
  readonly from_ms: number;
  readonly to_ms: number;
}

/** `null`: these rows are not one number for each bin and group. */
export function linesOf(
  rows: readonly TableRow[],
  columns: readonly string[],
  asked: TableQuestion,
  wanted = "",
): TimeLines | null {
  const [, pipes] = splitPipes(asked.query);
  const bin = binOf(pipes);
  if (!bin || !columns.includes(bin.column)) return null;
  const times = rows.map((row) => Date.parse(String(row[bin.column])));
  if (times.length === 0 || times.some((time) => Number.isNaN(time) || time % bin.ms !== 0)) return null;
  const span = spanOf(times, bin.ms, asked);
  if (!span) return null;

  const named = groupsNamed(pipes);
  const others = columns.filter((one) => one !== bin.column);
  const numeric = others.filter((one) => !named.has(one) && isNumeric(rows, one));
  const groups = others.filter((one) => !numeric.includes(one) && tells(rows, one));
  const first = numeric.includes(wanted) ? wanted : numeric[0];
  if (first === undefined) return null;
  const drawn = groups.length > 0 ? [first] : numeric;

  const placed = placedOf(rows, drawn, groups, (row) =>
    Math.round((Date.parse(String(row[bin.column])) - span.first_ms) / bin.ms),
  );
  if (!placed) return null;
  const counts = countsNamed(pipes);
  // What a table leaves out is not nothing.
  const whole = rows.length < MOST_BINS && !/\|\s*limit\b/i.test(pipes);
  const bySize = placed.toSorted((a, b) => b.size - a.size);
  const shown = bySize.slice(0, MOST_LINES).map(({ column, group, values }, i) => {
    const counted = counts.has(column);
    const empty = counted && whole ? 0 : null;
    return {
      key: JSON.stringify([column, ...group]),
      label: groups.length > 0 ? group.map(groupText).join(" · ") : column,
      fill: `--series-${i + 1}`,
      counted,
      values: Array.from({ length: span.bins }, (_, at) =>
        values.has(at) ? (values.get(at) ?? null) : empty,
      ),
    };
  });
  return {
    title: drawn.join(", ") + (groups.length > 0 ? ` by ${groups.join(", ")}` : ""),
    columns: drawn,
    first_ms: span.first_ms,
    bin_ms: bin.ms,
    bins: span.bins,
    lines: groups.length === 1 && groups[0] === "level" ? leveled(shown) : shown,
    leftOut: bySize.length - shown.length,
  };
}

interface Placed {
  readonly column: string;
  readonly group: readonly TableValue[];
  /** By bin. */
  readonly values: Map<number, number | null>;
  size: number;
}

/** The numbers of each column and group by their bins; `null`: one place has two of them. */
function placedOf(
  rows: readonly TableRow[],
  columns: readonly string[],
  groups: readonly string[],
  binAt: (row: TableRow) => number,
): readonly Placed[] | null {
  const placed = new Map<string, Placed>();
  for (const row of rows) {
    const at = binAt(row);
    const group = groups.map((one) => row[one] ?? null);
    for (const column of columns) {
      const key = JSON.stringify([column, ...group]);
      const known = placed.get(key) ?? { column, group, values: new Map(), size: 0 };
      if (known.values.has(at)) return null;
      const value = row[column];
      known.values.set(at, typeof value === "number" ? value : null);
      known.size += typeof value === "number" ? Math.abs(value) : 0;
      placed.set(key, known);
    }
  }
  return [...placed.values()];
}

function groupText(value: TableValue): string {
  return value === null ? "—" : value === "" ? "(empty)" : String(value);
}

function leveled(lines: readonly Line[]): readonly Line[] {
  const rank = (label: string) => (LEVELS as readonly string[]).indexOf(label);
  return lines
    .toSorted((a, b) => rank(a.label) - rank(b.label))
    .map((line) =>
      rank(line.label) < 0
        ? { ...line, fill: "--fill-trace" }
        : { ...line, label: levelLabel(line.label), fill: levelFill(line.label) },
    );
}

/** Neither always nothing nor a moment: `min(timestamp)` is no group. */
function tells(rows: readonly TableRow[], column: string): boolean {
  const values = rows.map((row) => row[column] ?? null).filter((value) => value !== null);
  return values.length > 0 && !values.every((value) => MOMENT.test(String(value)));
}

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** All bins of the range; where these are too many, those from the first row's to the last's. */
function spanOf(
  times: readonly number[],
  bin_ms: number,
  { from_ms, to_ms }: TableQuestion,
): { first_ms: number; bins: number } | null {
  const first = times.reduce((a, b) => Math.min(a, b));
  const last = times.reduce((a, b) => Math.max(a, b));
  const cut = (time: number) => Math.floor(time / bin_ms) * bin_ms;
  const spans = [
    [Math.min(first, cut(from_ms)), Math.max(last, cut(to_ms - 1))],
    [first, last],
  ] as const;
  for (const [first_ms, last_ms] of spans) {
    const bins = (last_ms - first_ms) / bin_ms + 1;
    if (bins <= MOST_BINS) return { first_ms, bins };
  }
  return null;
}

const NAME = String.raw`"(?:[^"\\]|\\.)*"|[\w.\-]+`;
const ALIAS = String.raw`(?:\s+(?:as\s+)?(?!by\b)(${NAME}))?`;
const BIN = new RegExp(String.raw`\bbin\(\s*(\w+)\s*\)${ALIAS}`, "i");
const COUNTS = new RegExp(String.raw`\b((?:count|uniq)\([^)]*\))${ALIAS}`, "gi");
const GROUPS = /\bstats\b[^|]*?\bby\b([^|]*)/gi;
const GROUP = new RegExp(`^(.*?)${ALIAS}$`, "i");

const unquoted = (name: string): string =>
  name.startsWith('"') ? name.slice(1, -1).replace(/\\(.)/g, "$1") : name;

function binOf(pipes: string): { column: string; ms: number } | null {
  const [, width = "", alias] = BIN.exec(pipes) ?? [];
  const ms = durationMs(width);
  return ms === null || ms <= 0 ? null : { column: alias ? unquoted(alias) : `bin(${width})`, ms };
}

/** Columns that count records: where there are none they are 0. */
function countsNamed(pipes: string): ReadonlySet<string> {
  return new Set(
    [...pipes.matchAll(COUNTS)].map(([, written = "", alias]) =>
      alias ? unquoted(alias) : written.replace(/\s/g, ""),
    ),
  );
}

/** Columns that are groups by name, of which some may look like numbers. */
function groupsNamed(pipes: string): ReadonlySet<string> {
  return new Set(
    [...pipes.matchAll(GROUPS)].flatMap(([, by = ""]) =>
      by.split(",").map((item) => {
        const [, written = "", alias] = GROUP.exec(item.trim()) ?? [];
        return alias ? unquoted(alias) : written.trim();
      }),
    ),
  );
}
