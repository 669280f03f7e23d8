/** Pinned filters of the last search here: where Explore is entered without any, it begins with them. */
import { pills } from "@/app/search";
import { afterClearing, type Pill } from "@/lib/filters";

const KEY = "logstream.pinnedFilters";

export function keepPinned(shown: readonly Pill[]): void {
  const pinned = afterClearing(shown);
  if (pinned.length > 0) sessionStorage.setItem(KEY, JSON.stringify(pinned));
  else sessionStorage.removeItem(KEY);
}

export function keptPinned(): readonly Pill[] | undefined {
  try {
    return pills(JSON.parse(sessionStorage.getItem(KEY) ?? "null"));
  } catch {
    return undefined; // somebody else's text under our key
  }
}
