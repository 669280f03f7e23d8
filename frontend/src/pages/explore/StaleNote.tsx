/** The server does not answer: what is shown is from before. It is asked again by itself. */
import type { UseQueryResult } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { Stale } from "@/ui/Stale";

interface StaleNoteProps {
  readonly query: Pick<UseQueryResult, "refetch" | "isFetching">;
  /** When what is shown was the answer. */
  readonly shownAt_ms: number;
}

const AGAIN_MS = 5_000;
const SILENT = new Error("the server does not answer");

export function StaleNote({ query, shownAt_ms }: StaleNoteProps) {
  const { refetch, isFetching } = query;
  useEffect(() => {
    if (isFetching) return;
    const again = () => void refetch();
    const later = setTimeout(again, AGAIN_MS);
    addEventListener("online", again);
    return () => {
      clearTimeout(later);
      removeEventListener("online", again);
    };
  }, [refetch, isFetching]);
  const trouble = useMemo(
    () => ({ error: SILENT, retryAtMs: isFetching ? 0 : Date.now() + AGAIN_MS }),
    [isFetching],
  );
  return <Stale trouble={trouble} updatedAtMs={shownAt_ms} onRetry={() => void refetch()} />;
}
