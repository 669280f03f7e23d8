/** The rows on the screen as a place in Explore. */
import { isMark } from "./buffer";
import type { Ring } from "./ring";
import type { Item } from "./tail";

/** The range that holds every shown record, both ends included; `null`: there is none. */
export function rangeOf(shown: Ring<Item>): { from: string; to: string } | null {
  let first = "";
  let last = "";
  for (let i = 0; i < shown.length; i += 1) {
    const item = shown.at(i);
    if (!item || isMark(item)) continue;
    // All are UTC; without the Z their order as text is their order in time, whatever their digits.
    const at = item.timestamp.slice(0, -1);
    if (first === "" || at < first) first = at;
    if (at > last) last = at;
  }
  return first === "" ? null : { from: `${first}Z`, to: justAfter(`${last}Z`) };
}

/** The range's end is not part of it: the next whole millisecond is. */
function justAfter(timestamp: string): string {
  const whole = Date.parse(timestamp.replace(/(\.\d{3})\d+Z$/, "$1Z"));
  return new Date(whole + 1).toISOString();
}
