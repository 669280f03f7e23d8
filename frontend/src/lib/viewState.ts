/** What of Explore's address belongs to a saved view, and whether it is still as it was saved. */
import { defaultParseSearch, defaultStringifySearch } from "@tanstack/react-router";
import { type ExploreSearch, exploreSearch } from "@/app/search";
import { effectiveQuery, splitPipes } from "@/lib/filters";
import { withSignals } from "@/lib/signals";
import { DEFAULT_RANGE } from "@/lib/time";

/** Where somebody stood while reading is no part of a view. */
const PASSING = ["view", "tz", "row", "tab", "drawer", "empty", "apart", "part", "compare"] as const;

/** A view's part of the address, without `?`; always the same for the same state. */
export function viewSearch(search: ExploreSearch, withRange: boolean): string {
  const left: Record<string, unknown> = { ...search };
  for (const key of [...PASSING, "from", "to"]) delete left[key];
  // Also the usual range, which addresses leave out: without one a view says nothing of the time.
  if (withRange) Object.assign(left, DEFAULT_RANGE, rangeOf(search));
  const sorted = Object.entries(left).toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return defaultStringifySearch(Object.fromEntries(sorted)).replace(/^\?/, "");
}

/** What a view's part of the address means; what this page does not know is left out. */
export const searchOfView = (kept: string): ExploreSearch => exploreSearch(defaultParseSearch(`?${kept}`));

/** Whether a view says which time it is of. */
export const hasRange = (kept: string): boolean => /(?:^|&)from=/.test(kept);

function rangeOf({ from, to }: ExploreSearch): { from?: string; to?: string } {
  return { ...(from ? { from } : {}), ...(to ? { to } : {}) };
}

/** Whether what is shown differs from the view; its time range counts only where it has one. */
export const isModified = (shown: ExploreSearch, kept: string): boolean =>
  viewSearch(shown, hasRange(kept)) !== viewSearch(searchOfView(kept), hasRange(kept));

/** Explore as the view has it; time and zone stay where the view says nothing of them. */
export function loadedSearch(shown: ExploreSearch, kept: string, id: string): ExploreSearch {
  return {
    ...(hasRange(kept) ? {} : rangeOf(shown)),
    ...(shown.tz ? { tz: shown.tz } : {}),
    ...searchOfView(kept),
    view: id,
  };
}

/** As a change of what is shown: what the view says nothing of goes away. */
export function replacedBy(
  shown: ExploreSearch,
  view: { readonly id: string; readonly search: string },
): { readonly [K in keyof ExploreSearch]?: ExploreSearch[K] | undefined } {
  const nothing = Object.fromEntries(Object.keys(shown).map((key) => [key, undefined]));
  return { ...nothing, ...loadedSearch(shown, view.search, view.id) };
}

/** The filter alone that is in force: what a signal keeps. */
export const filterInForce = (search: ExploreSearch): string =>
  splitPipes(withSignals(effectiveQuery(search.q ?? "", search.f ?? []), search.sig))[0].trim();
