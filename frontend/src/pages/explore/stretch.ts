/** A part of the time range as the URL keeps it: `from~to`. */
import { resolveMs, type TimeRange } from "@/lib/time";

export const stretchText = ({ from, to }: TimeRange): string => `${from}~${to}`;

export function stretchOf(text: string | undefined): TimeRange | null {
  const [from, to] = text?.split("~") ?? [];
  return from && to ? { from, to } : null;
}

/** The part that a text means, where it has something of the whole: another range may have been chosen since. */
export function partOf(text: string | undefined, whole: TimeRange): TimeRange | null {
  const part = stretchOf(text);
  const at = (moment: string) => resolveMs(moment, 0) ?? Number.NaN;
  return part && at(part.from) < at(whole.to) && at(part.to) > at(whole.from) ? part : null;
}
