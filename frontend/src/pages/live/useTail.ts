/** The page's tail: follows while the page is shown, another path when the query changes. */
import { useEffect, useState, useSyncExternalStore } from "react";
import { effectiveQuery } from "@/lib/filters";
import { makeTail, type Summary, type Tail } from "./tail";

/** Longer messages are cut by the server; Explore shows them whole. */
const MESSAGE_CHARS = 4_096;

export function tailPath(query: string, backfill: number): string {
  const asked = new URLSearchParams({
    query,
    backfill: String(backfill),
    truncate: String(MESSAGE_CHARS),
  });
  return `api/v1/tail?${asked}`;
}

/** The typed query, narrowed to the chosen levels. */
export function tailQuery(query: string, levels: readonly string[]): string {
  return effectiveQuery(query, levels.length > 0 ? [{ field: "level", values: levels }] : []);
}

export function useTail(path: string): Tail {
  const [tail] = useState(() => makeTail());
  useEffect(() => {
    tail.start(path);
    return tail.stop;
  }, [tail, path]);
  useEffect(() => {
    const timer = setInterval(tail.tick, 1_000);
    return () => clearInterval(timer);
  }, [tail]);
  return tail;
}

export const useSummary = (tail: Tail): Summary => useSyncExternalStore(tail.subscribe, tail.summary);
export const useRowsVersion = (tail: Tail): number => useSyncExternalStore(tail.subscribe, tail.version);
