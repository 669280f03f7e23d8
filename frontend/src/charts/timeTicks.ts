/** Round times for an axis, as a clock in the zone shows them. */
import { showTimestamp, type Zone } from "@/lib/time";

export interface TimeTick {
  readonly at_ms: number;
  readonly text: string;
}

const DAY_S = 86_400;
const STEPS_S = [
  1,
  2,
  5,
  10,
  15,
  30,
  60,
  120,
  300,
  600,
  900,
  1_800,
  3_600,
  7_200,
  10_800,
  21_600,
  43_200,
  DAY_S,
  2 * DAY_S,
  7 * DAY_S,
  14 * DAY_S,
  30 * DAY_S,
  90 * DAY_S,
  365 * DAY_S,
];

/** At most so many between two moments; the date where a day begins and in front. */
export function timeTicks(from_ms: number, to_ms: number, zone: Zone, most: number): readonly TimeTick[] {
  const span_s = (to_ms - from_ms) / 1e3;
  const step_s = STEPS_S.find((step) => span_s / step <= most) ?? span_s / Math.max(1, most);
  const step_ms = step_s * 1e3;
  const ahead_ms = aheadMs(from_ms, zone);
  const ticks: TimeTick[] = [];
  for (let at = Math.ceil((from_ms + ahead_ms) / step_ms) * step_ms; at <= to_ms + ahead_ms; at += step_ms) {
    const at_ms = at - ahead_ms;
    ticks.push({ at_ms, text: tickText(at_ms, step_s, span_s, zone) });
  }
  return ticks;
}

function tickText(at_ms: number, step_s: number, span_s: number, zone: Zone): string {
  const shown = showTimestamp(new Date(at_ms).toISOString(), zone, { date: true, digits: 0 });
  const [date = "", time = ""] = shown.split(" ");
  if (step_s >= DAY_S) return date.slice(5);
  if (span_s >= DAY_S && time === "00:00:00") return date.slice(5);
  return step_s < 60 ? time : time.slice(0, 5);
}

/** How far the zone's clock is ahead of UTC. */
function aheadMs(at_ms: number, zone: Zone): number {
  const second_ms = Math.floor(at_ms / 1e3) * 1e3;
  const shown = showTimestamp(new Date(second_ms).toISOString(), zone, { date: true, digits: 0 });
  return Date.parse(`${shown.replace(" ", "T")}Z`) - second_ms;
}
