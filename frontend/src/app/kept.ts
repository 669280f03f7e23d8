/** What goes along to another page. */
import type { LiveSearch, SharedSearch } from "@/app/search";
import { effectiveQuery, type Pill, splitPipes } from "@/lib/filters";
import { type Signal, withSignals } from "@/lib/signals";

/** Time and zone go everywhere. */
export function keepShared(search: SharedSearch): SharedSearch {
  return {
    ...(search.from ? { from: search.from } : {}),
    ...(search.to ? { to: search.to } : {}),
    ...(search.tz ? { tz: search.tz } : {}),
  };
}

interface Searched extends SharedSearch {
  readonly q?: string;
  readonly f?: readonly Pill[];
  readonly sig?: readonly Signal[];
}

/** What was searched for, as a live tail takes it: pills and signals as text, without pipes. */
export function followed(search: Searched): LiveSearch {
  const [query] = splitPipes(withSignals(effectiveQuery(search.q ?? "", search.f ?? []), search.sig));
  return { ...keepShared(search), ...(query.trim() ? { q: query.trim() } : {}) };
}
