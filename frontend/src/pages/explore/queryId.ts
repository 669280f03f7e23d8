/** Names for queries that are on their way, by which they can be watched and stopped. */
import { useState } from "react";
import { newQueryId } from "@/lib/newQueryId";

export { newQueryId };

export interface QueryId {
  /** Of the query that was sent last; "": none was. */
  readonly now: () => string;
  /** For one that is sent now, or was sent early under this name. */
  readonly next: (given?: string) => string;
}

export function useQueryId(): QueryId {
  const [ids] = useState(() => {
    let sent = "";
    return {
      now: () => sent,
      next: (given = newQueryId()) => {
        sent = given;
        return sent;
      },
    };
  });
  return ids;
}
