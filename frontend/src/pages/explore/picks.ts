/** Rows picked by hand. */
import type { Row } from "@/pages/explore/dedup";

/** One row more or less, or all between two. */
export function pickedWith(
  old: ReadonlySet<string>,
  rows: readonly Row[],
  index: number,
  from: number,
): ReadonlySet<string> {
  const next = new Set(old);
  if (from < 0 || from === index) {
    const id = rows[index]?.record.id;
    if (id !== undefined && !next.delete(id)) next.add(id);
    return next;
  }
  for (let i = Math.min(from, index); i <= Math.max(from, index); i += 1) {
    const id = rows[i]?.record.id;
    if (id !== undefined) next.add(id);
  }
  return next;
}
