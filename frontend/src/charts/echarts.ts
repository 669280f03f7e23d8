/** The pieces of ECharts that are used, and what lies over a chart: one chunk, after the first rows. */
import { BarChart } from "echarts/charts";
import { GridSimpleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

// Without the axis pointer: what is pointed at is React's.
use([BarChart, GridSimpleComponent, CanvasRenderer]);

export { ChartPointer } from "@/charts/ChartPointer";
export { init };
