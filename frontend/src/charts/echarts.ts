/** The pieces of ECharts that are used, in one chunk that is loaded after the first rows. */
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, MarkLineComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, LineChart, GridComponent, MarkLineComponent, CanvasRenderer]);

export { init };
