/**
 * What the URL holds. Every page shares time range and zone; Explore adds its own. Defaults are
 * left out, one unknown or broken value falls back to its default and leaves the others alone.
 */
import type { Pill } from "@/lib/filters";
import { isZone, preferredZone } from "@/lib/preferred";
import { type Signal, signals } from "@/lib/signals";
import { DEFAULT_RANGE, type Zone } from "@/lib/time";

export interface SharedSearch {
  readonly from?: string;
  readonly to?: string;
  readonly tz?: Zone;
}

export interface ExploreSearch extends SharedSearch {
  /** The query bar's text. */
  readonly q?: string;
  /** Filter pills. */
  readonly f?: readonly Pill[];
  /** Signals that are on. */
  readonly sig?: readonly Signal[];
  /** The saved view that was loaded. */
  readonly view?: string;
  /** Columns beside time, level, service and message. */
  readonly cols?: readonly string[];
  readonly wrap?: "wrap" | "json";
  /** Absent: as this browser prefers. */
  readonly rows?: "compact" | "normal" | "roomy";
  readonly dedup?: "exact" | "numbers" | "signature";
  /** Digits of a second's fraction; absent: 3. */
  readonly frac?: 6 | 9;
  /** Written-out `\n` and `\t` as what they stand for. */
  readonly nl?: "real";
  /** Widths of columns, in characters. */
  readonly widths?: Readonly<Record<string, number>>;
  /** The open record: `timestamp~id`. */
  readonly row?: string;
  /** The drawer's tab. */
  readonly tab?: "json" | "raw" | "context" | "trace";
  /** The drawer's width in pixels. */
  readonly drawer?: number;
  /** Fields without a value, in the drawer. */
  readonly empty?: "hidden";
  /** What neighbours need not have in common with the record. */
  readonly apart?: readonly string[];
  /** Absent: shown where there is room. */
  readonly facets?: "hidden" | "shown";
  /** Facets that are not as they are at first: opened, or closed. */
  readonly turned?: readonly string[];
  /** The table's order: a column, `-` before it for descending. */
  readonly sort?: string;
  readonly bars?: "hidden";
  /** A part of the range whose rows alone are shown: `from~to`. */
  readonly part?: string;
  /** A part of the range that is compared with the rest. */
  readonly compare?: string;
}

export interface LiveSearch extends SharedSearch {
  readonly q?: string;
  /** Only these levels; absent: all. */
  readonly levels?: readonly string[];
  /** Terms that are coloured, not filtered. */
  readonly hl?: readonly string[];
  readonly wrap?: "wrap";
  /** Records from before now to begin with; absent: 100. */
  readonly back?: 0 | 500 | 1000;
  /** Two tails, of which the first has so many percent of the width; absent: one. */
  readonly split?: number;
  /** What the second tail follows. */
  readonly q2?: string;
  readonly levels2?: readonly string[];
}

export interface PatternsSearch extends SharedSearch {
  readonly q?: string;
  /** The table's order: a column, `-` before it for descending; absent: the commonest first. */
  readonly sort?: string;
  /** The open pattern: a short name for its filter. */
  readonly open?: string;
  /** The inspector's width in pixels. */
  readonly drawer?: number;
}

export const DRAWER_PX = { least: 320, most: 1_200 } as const;
export const SPLIT_PERCENT = { least: 20, most: 80 } as const;
export const COLUMN_CH = { least: 6, most: 120 } as const;

type Raw = Readonly<Record<string, unknown>>;

export function sharedSearch(raw: Raw): SharedSearch {
  return present({
    from: text(raw.from, DEFAULT_RANGE.from),
    to: text(raw.to, DEFAULT_RANGE.to),
    tz: zone(raw.tz),
  });
}

export function exploreSearch(raw: Raw): ExploreSearch {
  return {
    ...sharedSearch(raw),
    ...present({
      q: text(raw.q, ""),
      f: pills(raw.f),
      sig: signals(raw.sig),
      view: text(raw.view, ""),
      cols: names(raw.cols),
      wrap: oneOf(raw.wrap, ["wrap", "json"]),
      rows: oneOf(raw.rows, ["compact", "normal", "roomy"]),
      dedup: oneOf(raw.dedup, ["exact", "numbers", "signature"]),
      frac: oneOf(raw.frac, [6, 9]),
      nl: oneOf(raw.nl, ["real"]),
      widths: widths(raw.widths),
      row: text(raw.row, ""),
      tab: oneOf(raw.tab, ["json", "raw", "context", "trace"]),
      drawer: between(raw.drawer, DRAWER_PX),
      empty: oneOf(raw.empty, ["hidden"]),
      apart: names(raw.apart),
      facets: oneOf(raw.facets, ["hidden", "shown"]),
      turned: names(raw.turned),
      sort: text(raw.sort, ""),
      bars: oneOf(raw.bars, ["hidden"]),
      part: stretch(raw.part),
      compare: stretch(raw.compare),
    }),
  };
}

export function liveSearch(raw: Raw): LiveSearch {
  return {
    ...sharedSearch(raw),
    ...present({
      q: text(raw.q, ""),
      levels: names(raw.levels),
      hl: names(raw.hl)?.slice(0, 5),
      wrap: oneOf(raw.wrap, ["wrap"]),
      back: oneOf(raw.back, [0, 500, 1000]),
      split: between(raw.split, SPLIT_PERCENT),
      q2: text(raw.q2, ""),
      levels2: names(raw.levels2),
    }),
  };
}

export function patternsSearch(raw: Raw): PatternsSearch {
  return {
    ...sharedSearch(raw),
    ...present({
      q: text(raw.q, ""),
      sort: text(raw.sort, ""),
      open: text(raw.open, ""),
      drawer: between(raw.drawer, DRAWER_PX),
    }),
  };
}

/** The object without the members that are undefined. */
type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Present<T>;
}

function text(value: unknown, omitted: string): string | undefined {
  // The router reads ?q=404 as a number; what people type is text.
  const read = typeof value === "number" || typeof value === "boolean" ? String(value) : value;
  return typeof read === "string" && read !== omitted ? read : undefined;
}

function zone(value: unknown): Zone | undefined {
  return typeof value === "string" && value !== preferredZone() && isZone(value) ? value : undefined;
}

function oneOf<const T extends string | number>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value);
}

function between(value: unknown, { least, most }: { least: number; most: number }): number | undefined {
  return typeof value === "number" && value >= least && value <= most ? Math.round(value) : undefined;
}

function widths(value: unknown): Readonly<Record<string, number>> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const found = Object.entries(value).flatMap(([name, width]): [string, number][] => {
    const read = between(width, COLUMN_CH);
    return read === undefined ? [] : [[name, read]];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/** Two absolute moments, the first before the second. */
function stretch(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const [from = "", to = "", ...more] = value.split("~");
  return more.length === 0 && Date.parse(from) < Date.parse(to) ? value : undefined;
}

function names(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const found = value.filter((one): one is string => typeof one === "string");
  return found.length > 0 ? found : undefined;
}

function numbers(value: unknown): readonly [number, number] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [low, high]: unknown[] = value;
  return typeof low === "number" && typeof high === "number" && low <= high ? [low, high] : undefined;
}

/** Pills as somebody's URL, or this browser's store, has them. */
export function pills(value: unknown): readonly Pill[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const found = value.flatMap((one: unknown): Pill[] => {
    if (typeof one !== "object" || one === null || !("field" in one) || !("values" in one)) return [];
    const range = "range" in one ? numbers(one.range) : undefined;
    const values = range ? [] : names(one.values);
    if (typeof one.field !== "string" || !values) return [];
    const set = (name: "exclude" | "off" | "pinned") => name in one && one[name as never] === true;
    return [
      {
        field: one.field,
        values,
        ...(range ? { range } : {}),
        ...(set("exclude") ? { exclude: true } : {}),
        ...(set("off") ? { off: true } : {}),
        ...(set("pinned") ? { pinned: true } : {}),
      },
    ];
  });
  return found.length > 0 ? found : undefined;
}
