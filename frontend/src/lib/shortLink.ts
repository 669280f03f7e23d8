/** Short links: an address that is too long to be passed on is kept by the server under an id. */
import { answered, api } from "@/api/client";

const PAGE = /^(?:\/|(?:\/[a-z][a-z0-9-]*){1,3})$/;

/** A place as the API keeps it: the path below the base address, and the search without `?`. */
export function placeOf(href: string, base: string): { path: string; search: string } | null {
  const url = new URL(href, base);
  const root = new URL(base).pathname.replace(/\/$/, "");
  if (url.origin !== new URL(base).origin || !url.pathname.startsWith(`${root}/`)) return null;
  const path = url.pathname.slice(root.length);
  return PAGE.test(path) ? { path, search: url.search.slice(1) } : null;
}

/** The address of a place that the API gave: never anything but a page below the base address. */
export function addressOf(place: { path: string; search: string }, base: string): string | null {
  if (!PAGE.test(place.path)) return null;
  const url = new URL(`.${place.path}`, base);
  url.search = place.search;
  return url.origin === new URL(base).origin ? url.pathname + url.search : null;
}

export const shortAddress = (id: string, base: string): string => new URL(`s/${id}`, base).href;

/** The short link to an address of this dashboard. */
export async function shortened(href: string, base = document.baseURI): Promise<string> {
  const place = placeOf(href, base);
  if (!place) return href;
  const { id } = await answered(api.POST("/api/v1/share", { body: place }));
  return shortAddress(id, base);
}
