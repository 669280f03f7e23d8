/**
 * What one run of a search answers: rows by pages, the table of a piped query, the volume. A
 * relative range is fixed at the run, so that all panels and all pages speak of the same time.
 */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { answered, api, type LogRecord, type Schema } from "@/api/client";
import { arrivedEarly, earlyMoment_ms, FIRST_PAGE, takeEarly } from "@/early";
import { effectiveQuery, type Pill, splitPipes } from "@/lib/filters";
import { fixedMoment, type TimeRange } from "@/lib/time";
import { useQueryId } from "@/pages/explore/queryId";

export interface Run {
  readonly query: string;
  readonly from: string;
  readonly to: string;
  readonly piped: boolean;
  readonly askedAt_ms: number;
}

/** More rows than these are not kept in the browser; the list offers to go on from its last one. */
export const MOST_ROWS = 100_000;
const NEXT_PAGE = { ...FIRST_PAGE, limit: 1_000 };

/** The run in force, and a way to run the same again (a relative range then ends later). */
export function useRun(text: string, pills: readonly Pill[], range: TimeRange): readonly [Run, () => void] {
  const [again, setAgain] = useState(0);
  const query = effectiveQuery(text, pills);
  const { from, to } = range;
  // running again moves a relative range
  const run = useMemo(() => {
    const now = earlyMoment_ms() ?? Date.now();
    return {
      query,
      from: fixedMoment(from, now),
      to: fixedMoment(to, now),
      piped: splitPipes(query)[1] !== "",
      askedAt_ms: now,
    };
  }, [query, from, to, again]);
  return [run, () => setAgain((count) => count + 1)];
}

const NO_ROWS: readonly LogRecord[] = [];

export function useRows(run: Run) {
  const id = useQueryId();
  const answer = useInfiniteQuery({
    queryKey: ["search", run.query, run.from, run.to],
    enabled: !run.piped,
    initialPageParam: "",
    initialData: () => {
      const page = arrivedEarly("search", run) as Schema["SearchAnswer"] | undefined;
      return page ? { pages: [page], pageParams: [""] } : undefined;
    },
    queryFn: async ({ pageParam, signal }) => {
      const early = pageParam ? null : takeEarly("search", run, signal);
      const page = await answered(
        api.GET("/api/v1/search", {
          params: {
            query: {
              query: run.query,
              from: run.from,
              to: run.to,
              ...(pageParam ? NEXT_PAGE : FIRST_PAGE),
              query_id: id.next(early?.queryId),
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
          signal,
          ...(early ? { fetch: early.fetch } : {}),
        }),
      );
      return page as Schema["SearchAnswer"];
    },
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    // Comparing 100 000 rows with those of before costs more than drawing the few on the screen.
    structuralSharing: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  const data = useLast(answer.data, answer.data?.pages[0]?.records.length !== 0);
  const rows = useMemo(() => data?.pages.flatMap((page) => page.records) ?? NO_ROWS, [data]);
  const stale = answer.isPlaceholderData || (answer.isError && data !== undefined);
  // Nothing older is asked for by itself where somebody had it stopped.
  const stopped = data?.pages.at(-1)?.stopped === true;
  return {
    answer,
    id,
    data,
    rows,
    stale,
    stopped,
    shownAt_ms: useLast(answer.dataUpdatedAt || undefined) ?? 0,
  };
}

export type Rows = ReturnType<typeof useRows>;

export function useTable(run: Run) {
  const id = useQueryId();
  const answer = useQuery({
    queryKey: ["table", run.query, run.from, run.to],
    enabled: run.piped,
    queryFn: async ({ signal }) => {
      const { query, from, to } = run;
      const asked = { query, from, to, limit: 10_000, query_id: id.next() };
      const table = await answered(api.GET("/api/v1/search", { params: { query: asked }, signal }));
      return table as Schema["TableAnswer"];
    },
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const data = useLast(answer.data);
  const stale = answer.isPlaceholderData || (answer.isError && data !== undefined);
  return { answer, id, data, stale, shownAt_ms: useLast(answer.dataUpdatedAt || undefined) ?? 0 };
}

export type Table = ReturnType<typeof useTable>;

export function useVolume(run: Run) {
  const answer = useQuery({
    queryKey: ["histogram", run.query, run.from, run.to],
    initialData: () => arrivedEarly("histogram", run) as Schema["HistogramAnswer"] | undefined,
    queryFn: ({ signal }) => {
      const { query, from, to } = run;
      const early = takeEarly("histogram", run, signal);
      return answered(
        api.GET("/api/v1/histogram", {
          params: { query: { query, from, to } },
          signal,
          ...(early ? { fetch: early.fetch } : {}),
        }),
      );
    },
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return { answer, data: useLast(answer.data, answer.data?.total !== 0) };
}

/** The fields that occur in the matching records, for the sidebar and for completing. */
export function useFields(run: Run, ready: boolean) {
  return useQuery({
    queryKey: ["fields", run.query, run.from, run.to],
    enabled: ready,
    queryFn: ({ signal }) => {
      const { query, from, to } = run;
      return answered(api.GET("/api/v1/fields", { params: { query: { query, from, to } }, signal }));
    },
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The last data worth keeping: an answer that failed leaves on the screen what was there. */
function useLast<T>(data: T | undefined, worth = true): T | undefined {
  const last = useRef(data);
  useEffect(() => {
    if (data !== undefined && worth) last.current = data;
  }, [data, worth]);
  return data ?? last.current;
}
