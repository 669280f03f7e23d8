/** ECharts, of which only lines are used: a chunk of its own, for those who ask for lines. */
import { LineChart } from "echarts/charts";
import { GridSimpleComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { LABEL_PX } from "@/charts/bars";
import { gridOf, type Lines } from "@/charts/lines";
import { labelFamily, themed } from "@/charts/paint";
import { timeTicks } from "@/charts/timeTicks";
import { compact } from "@/lib/format";
import type { Zone } from "@/lib/time";

// Without the axis pointer: what is pointed at is React's.
use([LineChart, GridSimpleComponent, CanvasRenderer]);

export { init };

const TICK_PX = 90;

export function optionOf(
  { lines, first_ms, bin_ms, bins }: Lines,
  width: number,
  zone: Zone,
): EChartsCoreOption {
  const [line, mute] = [themed("--line"), themed("--mute")];
  const label = { color: mute, fontSize: LABEL_PX };
  const [from, to] = [first_ms - bin_ms / 2, first_ms + (bins - 0.5) * bin_ms];
  const ticks = new Map(
    timeTicks(from, to, zone, Math.max(1, Math.floor(width / TICK_PX))).map(({ at_ms, text }) => [
      at_ms,
      text,
    ]),
  );
  const axes = [...new Set(lines.map(({ axis }) => axis))].sort();
  return {
    animation: false,
    textStyle: { fontFamily: labelFamily() },
    grid: gridOf(lines),
    xAxis: {
      type: "value",
      min: from,
      max: to,
      axisLine: { show: true, onZero: false, lineStyle: { color: line } },
      axisTick: { show: true, customValues: [...ticks.keys()], lineStyle: { color: line } },
      axisLabel: {
        ...label,
        customValues: [...ticks.keys()],
        formatter: (at: number) => ticks.get(at) ?? "",
      },
      splitLine: { show: false },
    },
    yAxis: (["left", "right"] as const).map((position) => ({
      type: "value",
      position,
      show: axes.includes(position),
      splitNumber: 3,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { ...label, formatter: valueText },
      // Two sets of lines would not meet.
      splitLine: { show: position === axes[0], lineStyle: { color: line, opacity: 0.6 } },
    })),
    series: lines.map(({ fill, axis, values }) => ({
      type: "line",
      silent: true,
      yAxisIndex: axis === "left" ? 0 : 1,
      symbol: "none",
      lineStyle: { width: 1.5, join: "round" },
      itemStyle: { color: themed(fill) },
      data: values.map((value, i) => {
        const point = [first_ms + i * bin_ms, value];
        const alone = value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null;
        return alone ? { value: point, symbol: "circle", symbolSize: 4 } : point;
      }),
    })),
  };
}

const valueText = (value: number): string =>
  Math.abs(value) < 10 ? String(Number(value.toPrecision(3))) : compact(value);
