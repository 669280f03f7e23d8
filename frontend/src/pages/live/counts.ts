/**
 * What the server did not hand out, since this page began: its counts begin anew with each
 * connection, these go on.
 */
import type { Schema } from "@/api/client";

export type TailStatus = Schema["TailStatus"];

const COUNTED = ["matched", "dropped", "sampled_out", "unexamined", "missed_entries"] as const;
type Counted = (typeof COUNTED)[number];

export type Counts = Readonly<Record<Counted, number>>;

export const NONE: Counts = { matched: 0, dropped: 0, sampled_out: 0, unexamined: 0, missed_entries: 0 };

/** `before`: the last status of the same connection, `NONE` at its start, `null` if it was joined. */
export function added(total: Counts, before: Counts | null, status: Counts): Counts {
  if (!before) return total;
  return Object.fromEntries(
    COUNTED.map((name) => [name, total[name] + Math.max(0, status[name] - before[name])]),
  ) as Record<Counted, number>;
}
