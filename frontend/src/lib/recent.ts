/** The last queries that were run, newest first: for the query bar and the palette. */

const KEY = "logstream.recentQueries";
const KEPT = 20;

export function recentQueries(): readonly string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored)
      ? stored.filter((one): one is string => typeof one === "string").slice(0, KEPT)
      : [];
  } catch {
    return []; // somebody else's text under our key
  }
}

export const forgetQueries = (): void => localStorage.removeItem(KEY);

export function rememberQuery(query: string): void {
  const text = query.trim();
  if (text === "" || text.length > 1_000) return;
  localStorage.setItem(
    KEY,
    JSON.stringify([text, ...recentQueries().filter((one) => one !== text)].slice(0, KEPT)),
  );
}
