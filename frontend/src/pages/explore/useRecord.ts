/** One whole record: as the list has it, and asked for where that is not all of it. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api, type LogRecord } from "@/api/client";

export const rowKey = (record: LogRecord): string => `${record.timestamp}~${record.id}`;
export const idOf = (row: string): string => row.slice(row.indexOf("~") + 1);
const timeOf = (row: string): string => row.slice(0, Math.max(0, row.indexOf("~")));

export function useRecord(row: string, listed: LogRecord | undefined) {
  const [full, setFull] = useState("");
  const query = useQuery({
    queryKey: ["record", row],
    enabled: !listed || full === row,
    queryFn: async ({ signal }) => {
      const params = { query: { id: idOf(row), timestamp: timeOf(row), before: 0, after: 0, same: "" } };
      return (await answered(api.GET("/api/v1/context", { params, signal }))).record;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  return { record: query.data ?? listed, query, loadFull: () => setFull(row) };
}
