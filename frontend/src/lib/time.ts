/**
 * Points in time as the URL keeps them: text, so that relative stays relative and no nanosecond is
 * lost. `now-15m`, `2026-11-23T14:34:18.123456789Z` and epoch numbers are all the server's grammar.
 */

export interface TimeRange {
  readonly from: string;
  readonly to: string;
}

export const DEFAULT_RANGE: TimeRange = { from: "now-15m", to: "now" };

export const PRESETS: readonly { readonly label: string; readonly from: string }[] = [
  { label: "5 minutes", from: "now-5m" },
  { label: "15 minutes", from: "now-15m" },
  { label: "30 minutes", from: "now-30m" },
  { label: "1 hour", from: "now-1h" },
  { label: "3 hours", from: "now-3h" },
  { label: "6 hours", from: "now-6h" },
  { label: "12 hours", from: "now-12h" },
  { label: "24 hours", from: "now-24h" },
  { label: "2 days", from: "now-2d" },
  { label: "7 days", from: "now-7d" },
  { label: "30 days", from: "now-30d" },
];

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 3.6e6,
  d: 8.64e7,
  w: 6.048e8,
  M: 2.592e9,
  y: 3.1536e10,
};
const DURATION = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w|M|y)/g;

/** Milliseconds of `15m`, `1h30m`; `null`: not a duration. */
export function durationMs(text: string): number | null {
  let total = 0;
  let length = 0;
  for (const match of text.matchAll(DURATION)) {
    if (match.index !== length) return null;
    total += Number(match[1]) * (UNIT_MS[match[2] ?? ""] ?? Number.NaN);
    length += match[0].length;
  }
  return length > 0 && length === text.length ? total : null;
}

/** `15m`, `1h30m`: the duration to the second, in few units. */
export function durationText(ms: number): string {
  let rest = Math.max(1, Math.round(ms / 1e3));
  const parts = [
    ["d", 86_400],
    ["h", 3_600],
    ["m", 60],
    ["s", 1],
  ] as const;
  return parts
    .map(([unit, size]) => {
      const count = Math.floor(rest / size);
      rest -= count * size;
      return count > 0 ? `${count}${unit}` : "";
    })
    .join("");
}

/** Epoch milliseconds of a point in time; `null`: not one. */
export function resolveMs(text: string, nowMs: number): number | null {
  const relative = /^now(?:([+-])(.+))?$/.exec(text);
  if (relative) {
    if (!relative[1]) return nowMs;
    const shift = durationMs(relative[2] ?? "");
    return shift === null ? null : nowMs + (relative[1] === "+" ? shift : -shift);
  }
  if (/^\d+$/.test(text)) return epochMs(text);
  const parsed = Date.parse(withZone(text));
  return Number.isNaN(parsed) ? null : parsed;
}

/** A moment with what is relative in it resolved: the same whenever it is asked for. */
export function fixedMoment(moment: string, nowMs: number): string {
  const at = moment.startsWith("now") ? resolveMs(moment, nowMs) : null;
  return at === null ? moment : new Date(at).toISOString();
}

function epochMs(digits: string): number {
  const value = Number(digits);
  if (value < 1e11) return value * 1e3;
  if (value < 1e14) return value;
  return value < 1e17 ? value / 1e3 : value / 1e6;
}

// Without a zone the server reads UTC; Date.parse would read the browser's own.
function withZone(text: string): string {
  return /^\d{4}-\d\d-\d\d[T ][\d:.,]+$/.test(text) ? `${text.replace(" ", "T").replace(",", ".")}Z` : text;
}

export const isRelative = (range: TimeRange): boolean =>
  range.from.startsWith("now") || range.to.startsWith("now");

/** The range as two absolute moments (for a link that will mean the same tomorrow). */
export function absolute(range: TimeRange, nowMs: number): TimeRange {
  const text = (at: string) => new Date(resolveMs(at, nowMs) ?? nowMs).toISOString();
  return { from: text(range.from), to: text(range.to) };
}

/** The range moved by `share` of its own width: -1 is the one just before. At now it lives again. */
export function shifted(range: TimeRange, share: number, nowMs: number): TimeRange {
  const { middle, width } = around(range, nowMs);
  const end = middle + share * width + width / 2;
  return end >= nowMs ? { from: `now-${durationText(width)}`, to: "now" } : ending(end, width);
}

/** The range with its width times `factor`, around the same middle, not beyond now. */
export function zoomed(range: TimeRange, factor: number, nowMs: number): TimeRange {
  const { middle, width } = around(range, nowMs);
  // What lives goes on living.
  if (range.to === "now") return { from: `now-${durationText(width * factor)}`, to: "now" };
  return ending(Math.min(middle + (width * factor) / 2, nowMs), width * factor);
}

function around(range: TimeRange, nowMs: number): { middle: number; width: number } {
  const from = resolveMs(range.from, nowMs) ?? nowMs - 9e5;
  const to = resolveMs(range.to, nowMs) ?? nowMs;
  return { middle: (from + to) / 2, width: to - from };
}

const ending = (end: number, width: number): TimeRange => ({
  from: new Date(end - width).toISOString(),
  to: new Date(end).toISOString(),
});

export function rangeLabel(range: TimeRange, zone: Zone): string {
  const preset = PRESETS.find((one) => one.from === range.from);
  if (preset && range.to === "now") return `Last ${preset.label}`;
  if (range.to === "now" && range.from.startsWith("now-")) return `Last ${range.from.slice(4)}`;
  const [from, to] = [shortTime(range.from, zone), shortTime(range.to, zone)];
  const [day] = from.split(" ");
  return `${from} → ${to.startsWith(`${day} `) ? to.slice(11) : to}`;
}

function shortTime(text: string, zone: Zone): string {
  const at = text.startsWith("now") ? null : resolveMs(text, 0);
  return at === null
    ? text
    : showTimestamp(new Date(at).toISOString(), zone, { date: true, digits: 0 }).replace(/:00$/, "");
}

export type Zone = "local" | "UTC" | string;

/** The zone as people call it: `Europe/Berlin` also where that is the browser's own. */
export const zoneName = (zone: Zone): string =>
  zone === "local" ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone;

/** `2026-11-23 14:34:18.123456789` in a zone: the fraction is the server's text, not a number. */
export function showTimestamp(
  timestamp: string,
  zone: Zone,
  options: { date: boolean; digits: number },
): string {
  const [, whole = timestamp, fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(timestamp) ?? [];
  const [date, time] = wholeSecond(whole, zone);
  const tail = options.digits > 0 ? `.${fraction.padEnd(9, "0").slice(0, options.digits)}` : "";
  return `${options.date ? `${date} ` : ""}${time}${tail}`;
}

/** Rows of a busy second share it, and formatting is most of what drawing a row costs. */
const WHOLE_SECONDS = new Map<string, readonly [date: string, time: string]>();
const KEPT_SECONDS = 5_000;

function wholeSecond(whole: string, zone: Zone): readonly [date: string, time: string] {
  const key = `${zone} ${whole}`;
  const known = WHOLE_SECONDS.get(key);
  if (known) return known;
  const parts = formatter(zone).formatToParts(new Date(`${whole}Z`));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? "";
  const made = [
    `${part("year")}-${part("month")}-${part("day")}`,
    `${part("hour")}:${part("minute")}:${part("second")}`,
  ] as const;
  if (WHOLE_SECONDS.size >= KEPT_SECONDS) WHOLE_SECONDS.clear();
  WHOLE_SECONDS.set(key, made);
  return made;
}

const FORMATTERS = new Map<Zone, Intl.DateTimeFormat>();

function formatter(zone: Zone): Intl.DateTimeFormat {
  const known = FORMATTERS.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-CA", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    ...(zone === "local" ? {} : { timeZone: zone }),
  });
  FORMATTERS.set(zone, made);
  return made;
}

/** `3 min ago`, `in 2 s`. */
export function age(timestamp: string, nowMs: number): string {
  const seconds = (nowMs - Date.parse(timestamp)) / 1e3;
  const size = Math.abs(seconds);
  const [value, unit] =
    size < 60
      ? [size, "s"]
      : size < 3600
        ? [size / 60, "min"]
        : size < 86_400
          ? [size / 3600, "h"]
          : [size / 86_400, "d"];
  const text = `${Math.round(value)} ${unit}`;
  return seconds >= 0 ? `${text} ago` : `in ${text}`;
}
