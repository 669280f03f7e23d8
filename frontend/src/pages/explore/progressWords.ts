import { whole } from "@/lib/format";
import { showTimestamp, type Zone } from "@/lib/time";
import type { Progress } from "@/pages/explore/progress";

/** What is known of it, in words; nothing is said of what is not. */
export function progressWords(progress: Progress, zone: Zone, withDate: boolean): readonly string[] {
  const { read_rows: read, total_rows: total, found, searched_from: from } = progress;
  return [
    read === null
      ? null
      : total === null
        ? `${whole(read)} rows read`
        : `${whole(read)} of ${whole(total)} rows read`,
    found === null ? null : `${whole(found)} found`,
    from === null ? null : `back to ${showTimestamp(from, zone, { date: withDate, digits: 0 })}`,
  ].filter((part) => part !== null);
}
