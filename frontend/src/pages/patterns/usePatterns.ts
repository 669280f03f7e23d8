/** The patterns of a search; a relative range is fixed when it is asked. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { answered, api } from "@/api/client";
import { fixedMoment, type TimeRange } from "@/lib/time";

export interface Asked extends TimeRange {
  readonly query: string;
}

/** What is asked for, and a way to ask again: a relative range then ends later. */
export function useAsked(query: string, { from, to }: TimeRange): readonly [Asked, () => void] {
  const [again, setAgain] = useState(0);
  // asking again moves a relative range
  const asked = useMemo(() => {
    const now = Date.now();
    return { query, from: fixedMoment(from, now), to: fixedMoment(to, now) };
  }, [query, from, to, again]);
  return [asked, () => setAgain((count) => count + 1)];
}

/** Queries that leave patterns out grow longer than addresses may be. */
const LONG = 1_500;

export function usePatterns({ query, from, to }: Asked) {
  return useQuery({
    queryKey: ["patterns", query, from, to],
    queryFn: ({ signal }) => {
      const asked = { query, from, to, limit: 100 };
      return answered(
        query.length > LONG
          ? api.POST("/api/v1/patterns", { body: { ...asked, query_id: "" }, signal })
          : api.GET("/api/v1/patterns", { params: { query: asked }, signal }),
      );
    },
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export type Patterns = ReturnType<typeof usePatterns>;

/** Volume over time of what one pattern finds, by level. */
export function useVolumeOf({ query, from, to }: Asked) {
  return useQuery({
    queryKey: ["histogram", query, from, to],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/histogram", { params: { query: { query, from, to } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

const SAMPLES = 10;

/** The newest records of one pattern. */
export function useSamplesOf({ query, from, to }: Asked) {
  return useQuery({
    queryKey: ["samples", query, from, to],
    queryFn: async ({ signal }) => {
      const asked = { query, from, to, limit: SAMPLES, count: false, truncate: 2_000 };
      return answered(api.GET("/api/v1/search", { params: { query: asked }, signal }));
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}
