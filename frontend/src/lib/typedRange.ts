/** What people type into the time picker. A time without a zone is one in the zone that is shown. */
import { durationMs, resolveMs, showTimestamp, type TimeRange, type Zone } from "./time";

const HOUR = String.raw`(\d{1,2})(?::(\d\d))?`;
const DAY = new RegExp(String.raw`^(today|yesterday|\d{4}-\d\d-\d\d)?\s*(?:${HOUR}\s*[-–]\s*${HOUR})?$`, "i");
const WALL = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?$/;
const DAY_MS = 8.64e7;

/**
 * `15m`, `-15m`, `now-1h`, `today`, `yesterday 9-11`, `2026-11-23`, `9:30-11`, one pasted moment
 * (a minute around it), or two moments joined by ` to `. `null`: none of them.
 */
export function parseRange(text: string, nowMs: number, zone: Zone): TimeRange | null {
  const typed = text.trim();
  if (typed === "" || typed === "now") return null;
  const day = dayRange(typed, nowMs, zone);
  if (day) return day;
  const [first, second] = typed.split(/\s+(?:to|until|–|—|→)\s+/);
  if (first && second) {
    const from = moment(first, nowMs, zone);
    const to = moment(second, nowMs, zone);
    return from && to ? { from, to } : null;
  }
  const back = /^-?(\d[\w.]*)$/.exec(typed);
  if (back?.[1] && durationMs(back[1]) !== null) return { from: `now-${back[1]}`, to: "now" };
  if (/^now[+-]/.test(typed) && resolveMs(typed, nowMs) !== null) return { from: typed, to: "now" };
  const at = resolveMs(moment(typed, nowMs, zone) ?? "", nowMs);
  return at === null ? null : { from: iso(at - 3e4), to: iso(at + 3e4) };
}

/** A day, or hours of one: of today where no day is named. */
function dayRange(typed: string, nowMs: number, zone: Zone): TimeRange | null {
  const [all, word, hour, minute = "00", endHour, endMinute = "00"] = DAY.exec(typed) ?? [];
  if (!all) return null;
  const today = wallTime(nowMs, zone).slice(0, 10);
  const name = word?.toLowerCase() ?? "today";
  const day = name === "today" ? today : name === "yesterday" ? dayAfter(today, -1) : name;
  const midnight = (date: string) => zonedMs(`${date}T00:00:00`, zone);
  if (Number.isNaN(midnight(day))) return null;
  if (!hour || !endHour) {
    return { from: iso(midnight(day)), to: day === today ? "now" : iso(midnight(dayAfter(day, 1))) };
  }
  const from = onDay(day, hour, minute, zone);
  const to = onDay(day, endHour, endMinute, zone);
  if (from === null || to === null) return null;
  // From 22 to 2 ends on the day after.
  const end = to > from ? to : onDay(dayAfter(day, 1), endHour, endMinute, zone);
  return end === null ? null : { from: iso(from), to: iso(end) };
}

function onDay(day: string, hour: string, minute: string, zone: Zone): number | null {
  if (Number(hour) > 24 || Number(minute) > 59) return null;
  if (Number(hour) === 24) return onDay(dayAfter(day, 1), "0", minute, zone);
  return zonedMs(`${day}T${hour.padStart(2, "0")}:${minute}:00`, zone);
}

const dayAfter = (day: string, days: number): string =>
  iso(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).slice(0, 10);

/** A moment as the URL keeps it: UTC, every digit of the fraction kept. */
function moment(text: string, nowMs: number, zone: Zone): string | null {
  const back = /^-(\d[\w.]*)$/.exec(text);
  const [, day, time, second = ":00", fraction] = WALL.exec(text) ?? [];
  if (day && time) {
    const at = zonedMs(`${day}T${time}${second}`, zone);
    return Number.isNaN(at) ? null : iso(at).replace(".000Z", fraction ? `.${fraction}Z` : "Z");
  }
  const written = back?.[1] ? `now-${back[1]}` : text;
  const at = resolveMs(written, nowMs);
  if (at === null) return null;
  if (/^(now.*|\d+|\d{4}-\d\d-\d\d[T ].*)$/s.test(written)) return written;
  // What mail and web servers write; without a year Date.parse makes times of almost anything.
  return /\b\d{4}\b/.test(written) ? iso(at) : null;
}

const iso = (ms: number): string => new Date(ms).toISOString();

const wallTime = (ms: number, zone: Zone): string =>
  showTimestamp(iso(ms), zone, { date: true, digits: 0 }).replace(" ", "T");

/** Epoch milliseconds of what a clock in the zone shows; `NaN`: no such day. */
export function zonedMs(wall: string, zone: Zone): number {
  const asUtc = Date.parse(`${wall}Z`);
  if (Number.isNaN(asUtc)) return asUtc;
  const offset = (ms: number) => Date.parse(`${wallTime(ms, zone)}Z`) - ms;
  // Twice: the first guess may lie on the other side of a change of clocks.
  return asUtc - offset(asUtc - offset(asUtc));
}
