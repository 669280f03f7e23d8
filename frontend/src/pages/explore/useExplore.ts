/** Explore's state: all of it is the URL's, read here and changed here. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { ExploreSearch } from "@/app/search";
import { type Pill, toggled } from "@/lib/filters";
import { keepPinned } from "@/lib/pinned";

export type ExploreChange = { readonly [K in keyof ExploreSearch]?: ExploreSearch[K] | undefined };

export interface Explore {
  readonly search: ExploreSearch;
  readonly text: string;
  readonly pills: readonly Pill[];
  readonly columns: readonly string[];
  /** Merges; what is `undefined` goes back to its default. Places push, typing replaces. */
  readonly change: (change: ExploreChange, how?: "push" | "replace") => void;
  readonly act: ValueAct;
}

export type ValueAction = "include" | "exclude" | "only" | "column";
export type ValueAct = (action: ValueAction, field: string, value: string) => void;

const NO_PILLS: readonly Pill[] = [];
const NO_COLUMNS: readonly string[] = [];
/** Shown by themselves. */
export const FIXED: ReadonlySet<string> = new Set(["timestamp", "level", "service", "message"]);

export function useExplore(): Explore {
  const search = useSearch({ from: "/explore" });
  const navigate = useNavigate({ from: "/explore" });
  const update = useCallback(
    (make: (old: ExploreSearch) => ExploreChange, how: "push" | "replace") =>
      void navigate({ to: "/explore", replace: how === "replace", search: (old) => merged(old, make(old)) }),
    [navigate],
  );
  const { f } = search;
  const entered = useRef(false);
  useEffect(() => {
    // A link that brought no filters does not mean that none are pinned.
    if (f || entered.current) keepPinned(f ?? NO_PILLS);
    entered.current = true;
  }, [f]);
  const change = useCallback(
    (next: ExploreChange, how: "push" | "replace" = "push") => update(() => next, how),
    [update],
  );
  const act = useCallback(
    (action: ValueAction, field: string, value: string) =>
      update((old) => {
        const pills = old.f ?? NO_PILLS;
        if (action === "column") return { cols: withColumn(old.cols ?? NO_COLUMNS, field) };
        if (action === "only") {
          return { f: [...pills.filter((pill) => pill.field !== field), { field, values: [value] }] };
        }
        return { f: toggled(pills, field, value, action === "exclude") };
      }, "push"),
    [update],
  );
  return useMemo(
    () => ({
      search,
      text: search.q ?? "",
      pills: search.f ?? NO_PILLS,
      columns: search.cols ?? NO_COLUMNS,
      change,
      act,
    }),
    [search, change, act],
  );
}

function merged(old: ExploreSearch, change: ExploreChange): ExploreSearch {
  const entries = Object.entries({ ...old, ...change }).filter(
    ([, value]) => value !== undefined && value !== "" && !isEmpty(value),
  );
  return Object.fromEntries(entries);
}

const isEmpty = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length === 0;

/** Adding a column that is there takes it away. */
export function withColumn(columns: readonly string[], field: string): readonly string[] {
  if (FIXED.has(field)) return columns;
  return columns.includes(field) ? columns.filter((one) => one !== field) : [...columns, field];
}
