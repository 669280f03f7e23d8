/**
 * Signals: named filters that are switched on with a click. Between groups all must match, within a
 * group any may; one without a group stands alone.
 */
import { joined } from "@/lib/filters";

/** As the address holds it: with its filter, so that a link means the same whatever is saved. */
export interface Signal {
  readonly n: string;
  readonly q: string;
  readonly g?: string;
}

export const sameSignal = (a: Signal, b: Signal): boolean => a.n === b.n && a.q === b.q && a.g === b.g;

/** One filter for each group. */
export function signalFilters(signals: readonly Signal[]): readonly string[] {
  const groups = new Map<string, string[]>();
  for (const { n, q, g } of signals) {
    const key = g ? `group ${g}` : `alone ${n} ${q}`;
    groups.set(key, [...(groups.get(key) ?? []), `(${q})`]);
  }
  return [...groups.values()].map((any) => (any.length > 1 ? `(${any.join(" OR ")})` : (any[0] ?? "")));
}

/** The query that the text and the signals mean together; pipes stay at the end. */
export const withSignals = (text: string, signals: readonly Signal[] = []): string =>
  joined(text, signalFilters(signals));

/** Switched on, or off if it is on. */
export function toggledSignal(on: readonly Signal[], signal: Signal): readonly Signal[] {
  return on.some((one) => sameSignal(one, signal))
    ? on.filter((one) => !sameSignal(one, signal))
    : [...on, signal];
}

/** Signals as somebody's address has them. */
export function signals(value: unknown): readonly Signal[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const found = value.flatMap((one: unknown): Signal[] => {
    if (typeof one !== "object" || one === null || !("n" in one) || !("q" in one)) return [];
    const g = "g" in one && typeof one.g === "string" && one.g ? { g: one.g } : {};
    return typeof one.n === "string" && typeof one.q === "string" && one.q.trim()
      ? [{ n: one.n, q: one.q, ...g }]
      : [];
  });
  return found.length > 0 ? found : undefined;
}
