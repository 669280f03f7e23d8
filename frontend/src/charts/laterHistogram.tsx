/** The histogram, whose code comes after the first rows; its place is kept until then. */
import { later } from "@/ui/later";

const LEGEND_PX = 20;

export const LevelHistogram = later(
  () => {
    // At the same time, not after; that it failed is said where it is needed.
    import("@/charts/echarts").catch(() => undefined);
    return import("@/charts/LevelHistogram").then((module) => module.LevelHistogram);
  },
  ({ height = 96 }) => <div style={{ height: height + LEGEND_PX }} />,
);
