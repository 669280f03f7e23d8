/**
 * Closing the gap when the server, started anew perhaps, does not know where a tail was: as many
 * earlier records as it gives are asked for, and of those what was shown already is left out. Equal
 * records count one by one.
 */
import type { TailRecord } from "./tail";

/** The most that a server begins with. */
export const GAP_ROWS = 1_000;

export interface Gap {
  /** Of the next earlier records those to show; what is not known to be behind is held back. */
  readonly earlier: (rows: readonly TailRecord[]) => readonly TailRecord[];
  /** No more earlier ones come: what was held back, for lack of anything that was shown before. */
  readonly rest: () => readonly TailRecord[];
}

/**
 * `shown`: the last records that were; `began`: when the tail did. Of a tail that showed nothing
 * nothing older is passed on.
 */
export function gapAfter(shown: Iterable<TailRecord>, began: string): Gap {
  const seen = new Map<string, number>();
  for (const record of shown) {
    const identity = identityOf(record);
    seen.set(identity, (seen.get(identity) ?? 0) + 1);
  }
  const empty = seen.size === 0;
  let reached = empty;
  let held: TailRecord[] = [];
  return {
    earlier(rows) {
      const behind: TailRecord[] = [];
      for (const record of rows) {
        const identity = identityOf(record);
        const times = seen.get(identity) ?? 0;
        if (times > 0) {
          seen.set(identity, times - 1);
          reached = true;
          held = [];
        } else if (!reached) held.push(record);
        else if (!empty || record.timestamp >= began) behind.push(record);
      }
      return behind;
    },
    rest() {
      const left = held;
      held = [];
      return left;
    },
  };
}

/** What stays of a record whichever way it comes: its key and id do not. */
function identityOf(record: TailRecord): string {
  const { key: _key, id: _id, received: _received, ...rest } = record;
  return JSON.stringify(sorted(rest));
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => [name, sorted(member)]);
}
