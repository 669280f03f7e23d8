/** What is common in one part of the time and not in the rest: values by the difference of their shares. */

export interface Counted {
  readonly field: string;
  /** Commonest first. */
  readonly values: readonly { readonly value: string; readonly count: number }[];
}

export interface ValueDifference {
  readonly value: string;
  /** Shares of all records there, 0 to 1. */
  readonly inside: number;
  readonly outside: number;
}

export interface FieldDifference {
  readonly field: string;
  /** The largest difference of one of its values, 0 to 1. */
  readonly most: number;
  readonly values: readonly ValueDifference[];
}

const WORTH = 0.01;
/** Standard deviations beyond which a difference is hardly chance. */
const SURE = 3;

/**
 * Fields by how much they differ, each with its `shown` most different values. Lists hold `limit`
 * values at most: one that a full list leaves out may be as common as the last it has.
 */
export function differences(
  inside: readonly Counted[],
  outside: readonly Counted[],
  totals: { readonly inside: number; readonly outside: number },
  { limit, shown }: { readonly limit: number; readonly shown: number },
): readonly FieldDifference[] {
  const others = new Map(outside.map((one) => [one.field, one.values]));
  const found = inside.map(({ field, values }): FieldDifference => {
    const [here, there] = [shares(values, totals.inside), shares(others.get(field) ?? [], totals.outside)];
    const [leastHere, leastThere] = [unlisted(here, limit), unlisted(there, limit)];
    const differing = [...new Set([...here.keys(), ...there.keys()])]
      .map((value) => {
        const [a, b] = [here.get(value), there.get(value)];
        // What is not listed is given the benefit of the doubt: it differs no more than is known.
        return {
          value,
          inside: a ?? Math.min(leastHere, b ?? 0),
          outside: b ?? Math.min(leastThere, a ?? 0),
        };
      })
      .filter((one) => size(one) >= WORTH && size(one) > SURE * chance(one, totals))
      .toSorted(byDifference);
    return { field, most: differing[0] ? size(differing[0]) : 0, values: differing.slice(0, shown) };
  });
  return found.filter((one) => one.most > 0).toSorted((a, b) => b.most - a.most);
}

const size = ({ inside, outside }: ValueDifference): number => Math.abs(inside - outside);

/** What became commoner before what became as much rarer. */
const byDifference = (a: ValueDifference, b: ValueDifference): number => {
  const by = size(b) - size(a);
  return Math.abs(by) > 1e-9 ? by : b.inside - a.inside;
};

/** The standard deviation of the difference, were there none. */
function chance(one: ValueDifference, { inside, outside }: { inside: number; outside: number }): number {
  if (inside === 0 || outside === 0) return 0;
  const share = (one.inside * inside + one.outside * outside) / (inside + outside);
  return Math.sqrt(Math.max(0, share * (1 - share)) * (1 / inside + 1 / outside));
}

const shares = (values: Counted["values"], total: number): ReadonlyMap<string, number> =>
  new Map(values.map(({ value, count }) => [value, total > 0 ? count / total : 0]));

const unlisted = (listed: ReadonlyMap<string, number>, limit: number): number =>
  listed.size < limit ? 0 : Math.min(...listed.values());
