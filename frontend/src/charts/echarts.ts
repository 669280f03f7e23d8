/** ECharts, of which only bars are used, and the same bars for it: one chunk, when there is time. */
import { BarChart } from "echarts/charts";
import { GridSimpleComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { LABEL_PX, shareOf } from "@/charts/bars";
import type { Drawn } from "@/charts/Chart";
import { labelFamily, themed } from "@/charts/paint";

// Without the axis pointer: what is pointed at is React's.
use([BarChart, GridSimpleComponent, CanvasRenderer]);

export { init };

/** Everything stands where the plot says: what was painted first does not move. */
export function optionOf({ bars, plot, width, height }: Drawn): EChartsCoreOption {
  const [line, mute] = [themed("--line"), themed("--mute")];
  const label = { color: mute, fontSize: LABEL_PX };
  const names = new Map(plot.names.map(({ at, text }) => [at, text]));
  const [first, second] = plot.ticks;
  const hatch = {
    symbol: "rect",
    color: themed("--panel"),
    dashArrayX: [1, 0],
    dashArrayY: [2, 3],
    rotation: -Math.PI / 4,
  };
  return {
    animation: false,
    textStyle: { fontFamily: labelFamily() },
    grid: { left: plot.left, right: width - plot.right, top: plot.top, bottom: height - plot.bottom },
    xAxis: {
      type: "category",
      data: [...bars.labels],
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
      axisLabel: {
        ...label,
        interval: (at: number) => names.has(at),
        formatter: (_: string, at: number) => names.get(at) ?? "",
      },
    },
    yAxis: {
      type: "value",
      min: first?.value,
      max: plot.ticks.at(-1)?.value,
      interval: (second?.value ?? 1) - (first?.value ?? 0),
      axisLabel: { ...label, formatter: (_: number, i: number) => plot.ticks[i]?.text ?? "" },
      splitLine: { lineStyle: { color: line, opacity: 0.6 } },
    },
    series: bars.series.map(({ fill, values }) => ({
      type: "bar",
      stack: "bars",
      silent: true,
      barCategoryGap: `${Math.round(100 * (1 - shareOf(bars)))}%`,
      barMaxWidth: bars.widest,
      itemStyle: { color: themed(fill) },
      // What reaches beyond the range was not counted in full.
      data: values.map((value, at) =>
        bars.partial?.has(at) ? { value, itemStyle: { opacity: 0.7, decal: hatch } } : value,
      ),
    })),
  };
}
