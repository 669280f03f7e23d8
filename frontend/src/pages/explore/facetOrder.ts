/** Which fields stand where in the sidebar. */

export interface Listed {
  readonly name: string;
  readonly count: number;
}

export const FIRST = ["level", "service"] as const;
/** Where the record came from has many names; the first that occurs stands third. */
const HOSTS = ["host.name", "host", "hostname", "k8s.node.name", "node", "server.address"];
/** Every record has another one: nothing to choose from. */
const UNLISTED = new Set<string>(["timestamp", "message", ...FIRST]);

export interface FacetOrder<T extends Listed> {
  readonly host: T | undefined;
  readonly pinned: readonly T[];
  readonly others: readonly T[];
}

/** The fields in the order in which they are shown, after level and service. */
export function facetOrder<T extends Listed>(fields: readonly T[], pins: readonly string[]): FacetOrder<T> {
  const listed = fields.filter((field) => !UNLISTED.has(field.name));
  const host = HOSTS.map((name) => listed.find((field) => field.name === name)).find(Boolean);
  const rest = listed.filter((field) => field !== host);
  const pinned = pins.flatMap((name) => rest.find((field) => field.name === name) ?? []);
  return { host, pinned, others: rest.filter((field) => !pinned.includes(field)) };
}

/** The share of the looked-at records that have a field: all of them have a timestamp. */
export function shareOf(field: Listed, fields: readonly Listed[]): number {
  const all = fields.reduce((most, one) => Math.max(most, one.count), 0);
  return all > 0 ? field.count / all : 0;
}

const COLLATOR = new Intl.Collator("en", { numeric: true });

/** Numbers by their size, texts between them by theirs. */
export function byValue<T extends { readonly value: string }>(values: readonly T[]): readonly T[] {
  return values.toSorted((a, b) => {
    const by = Number(a.value) - Number(b.value);
    return Number.isNaN(by) ? COLLATOR.compare(a.value, b.value) : by;
  });
}

/** Steps that people can name, about `steps` of them between the two. */
export function stepOf(low: number, high: number, steps = 200): number {
  const raw = (high - low) / steps;
  if (!(raw > 0) || !Number.isFinite(raw)) return 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const nice = [1, 2, 5, 10].find((one) => one * power >= raw) ?? 10;
  const step = nice * power;
  return Number.isInteger(low) && Number.isInteger(high) ? Math.max(1, step) : step;
}

/** A slider's bounds: whole steps around what occurs. */
export function slideBounds(low: number, high: number): { low: number; high: number; step: number } {
  const step = stepOf(low, high);
  // 0.1 × 3 is to be 0.3.
  const digits = Math.min(12, Math.max(0, -Math.floor(Math.log10(step))));
  const tidy = (value: number) => Number(value.toFixed(digits));
  return { low: tidy(Math.floor(low / step) * step), high: tidy(Math.ceil(high / step) * step), step };
}
