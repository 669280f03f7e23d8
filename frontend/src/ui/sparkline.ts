/** A series of numbers as SVG paths in a box of 100 × 100; a null is a gap. */

export interface SparkPaths {
  readonly line: string;
  readonly area: string;
}

/**
 * The newest number stands at the right edge, `slots` numbers fill the width. The scale begins at
 * zero, so that height means size.
 */
export function sparkPaths(series: readonly (number | null)[], slots = 2): SparkPaths {
  const count = Math.max(slots, series.length, 2);
  const top = Math.max(...series.map((value) => value ?? 0), Number.MIN_VALUE);
  const x = (i: number) => round(((count - series.length + i) / (count - 1)) * 100);
  const y = (value: number) => round(100 - (value / top) * 100);
  let line = "";
  let area = "";
  for (const run of runs(series)) {
    const points = run.map(({ i, value }) => `${x(i)} ${y(value)}`);
    // A number alone between gaps would be no line: it gets the width of a dot.
    const path = points.length > 1 ? points.join("L") : `${points[0]}h0.01`;
    line += `M${path}`;
    area += `M${x(run[0]?.i ?? 0)} 100L${path}L${x(run.at(-1)?.i ?? 0)} 100Z`;
  }
  return { line, area };
}

interface Point {
  readonly i: number;
  readonly value: number;
}

function runs(series: readonly (number | null)[]): readonly (readonly Point[])[] {
  const found: Point[][] = [];
  let open = false;
  series.forEach((value, i) => {
    if (value === null) open = false;
    else if (open) found.at(-1)?.push({ i, value });
    else {
      found.push([{ i, value }]);
      open = true;
    }
  });
  return found;
}

const round = (value: number): number => Math.round(value * 100) / 100;
