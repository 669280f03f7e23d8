/** The pieces of ECharts that are used, and what lies over a chart: one chunk, after the first rows. */
import { BarChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, GridComponent, CanvasRenderer]);

export { ChartPointer } from "@/charts/ChartPointer";
export { init };
