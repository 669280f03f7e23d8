/** Facets that this browser has pinned to the top. */

const KEY = "logstream.pinnedFacets";

export function keptFacetPins(): readonly string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return []; // somebody else's text under our key
  }
}

export const keepFacetPins = (pins: readonly string[]): void =>
  localStorage.setItem(KEY, JSON.stringify(pins));
export const forgetFacetPins = (): void => localStorage.removeItem(KEY);
