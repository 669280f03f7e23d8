/**
 * What the URL holds. Every page shares time range and zone; Explore adds its own. Defaults are
 * left out, one unknown or broken value falls back to its default and leaves the others alone.
 */
import type { Pill } from "@/lib/filters";
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
  /** Columns beside time, level, service and message. */
  readonly cols?: readonly string[];
  readonly wrap?: "wrap" | "json";
  readonly rows?: "compact" | "roomy";
  readonly dedup?: "exact" | "numbers";
  /** The open record: `timestamp~id`. */
  readonly row?: string;
  /** The drawer's tab. */
  readonly tab?: "json" | "raw" | "context" | "trace";
  readonly facets?: "hidden";
}

export interface LiveSearch extends SharedSearch {
  readonly q?: string;
  /** Only these levels; absent: all. */
  readonly levels?: readonly string[];
  /** Terms that are coloured, not filtered. */
  readonly hl?: readonly string[];
  /** Records from before now to begin with; absent: 100. */
  readonly back?: 0 | 500 | 1000;
}

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
      cols: names(raw.cols),
      wrap: oneOf(raw.wrap, ["wrap", "json"]),
      rows: oneOf(raw.rows, ["compact", "roomy"]),
      dedup: oneOf(raw.dedup, ["exact", "numbers"]),
      row: text(raw.row, ""),
      tab: oneOf(raw.tab, ["json", "raw", "context", "trace"]),
      facets: oneOf(raw.facets, ["hidden"]),
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
      back: oneOf(raw.back, [0, 500, 1000]),
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
  if (typeof value !== "string" || value === "local") return undefined;
  try {
    new Intl.DateTimeFormat("en", { timeZone: value });
    return value;
  } catch {
    return undefined; // not a zone this browser knows
  }
}

function oneOf<const T extends string | number>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value);
}

function names(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const found = value.filter((one): one is string => typeof one === "string");
  return found.length > 0 ? found : undefined;
}

function pills(value: unknown): readonly Pill[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const found = value.flatMap((one: unknown): Pill[] => {
    if (typeof one !== "object" || one === null || !("field" in one) || !("values" in one)) return [];
    const values = names(one.values);
    if (typeof one.field !== "string" || !values) return [];
    return [
      {
        field: one.field,
        values,
        ...("exclude" in one && one.exclude === true ? { exclude: true } : {}),
        ...("off" in one && one.off === true ? { off: true } : {}),
      },
    ];
  });
  return found.length > 0 ? found : undefined;
}
