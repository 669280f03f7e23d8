/** Lines over time in bins of one width: what is drawn, and where. */
import type { Plot } from "@/charts/bars";

export interface Lines {
  readonly lines: readonly {
    /** The CSS variable of its colour. */
    readonly fill: string;
    readonly axis: "left" | "right";
    /** One for each bin; `null`: a gap. */
    readonly values: readonly (number | null)[];
  }[];
  readonly first_ms: number;
  readonly bin_ms: number;
  readonly bins: number;
}

/** Pixels around the lines, for the labels of their axes. */
export const gridOf = (lines: Lines["lines"]) => ({
  left: lines.some(({ axis }) => axis === "left") || lines.length === 0 ? 52 : 16,
  right: lines.some(({ axis }) => axis === "right") ? 44 : 16,
  top: 10,
  bottom: 24,
});

/** Where bins are, for what is pointed at. */
export function binsPlot({ lines, bins }: Lines, width: number, height: number): Plot {
  const grid = gridOf(lines);
  const right = Math.max(grid.left + 1, width - grid.right);
  const [top, bottom] = [grid.top, height - grid.bottom];
  const band = (right - grid.left) / bins;
  return { left: grid.left, right, top, bottom, band, ticks: [], names: [], y: () => bottom };
}
