/** The view that Explore opens with in this browser: its part of the address, kept beside its id. */

const KEY = "logstream.defaultView";

export interface DefaultView {
  readonly id: string;
  /** Without `?`. */
  readonly search: string;
}

export function defaultView(): DefaultView | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "null");
    if (typeof kept !== "object" || kept === null || !("id" in kept) || !("search" in kept)) return null;
    const { id, search } = kept;
    return typeof id === "string" && typeof search === "string" ? { id, search } : null;
  } catch {
    return null; // somebody else's text under our key
  }
}

export function setDefaultView(view: DefaultView | null): void {
  if (view) localStorage.setItem(KEY, JSON.stringify({ id: view.id, search: view.search }));
  else localStorage.removeItem(KEY);
}

/** What follows the `?` of Explore's address when it is entered without anything. */
export function enteredWith(view: DefaultView | null): string {
  return view ? [view.search, `view=${encodeURIComponent(view.id)}`].filter(Boolean).join("&") : "";
}
