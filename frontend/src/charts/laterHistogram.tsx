/** The histogram, whose code comes after the first rows; its place is kept until then. */
import { later } from "@/ui/later";

const LEGEND_PX = 20;

/** Fetches the code while its data is still on the way. */
export function histogramSoon() {
  // At the same time, not one after the other; that it failed is said where it is needed.
  import("@/charts/echarts").catch(() => undefined);
  return import("@/charts/LevelHistogram");
}

export const LevelHistogram = later(
  () => histogramSoon().then((module) => module.LevelHistogram),
  ({ height = 96 }) => <div style={{ height: height + LEGEND_PX }} />,
);
