import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const api = process.env.LOGSTREAM_DASHBOARD ?? "http://127.0.0.1:3001";

// What some pages share that Explore does not need before its first rows.
const FOLLOWING = /src\/(stream\/(?!sse)|lib\/source|ui\/[Ss]parkline)/;
const EVENTS = /src\/stream\/sse\./;
const CHARTS = /src\/charts\/(?!HistogramTable|LineChart|echarts|lines|timeTicks)/;
// Only rows that are wrapped, and tables, have to be measured.
const MEASURED = /@tanstack\/(react-)?virtual/;
// What comes when the browser has time: on every page, and on Explore.
const DIALOGS =
  /src\/(app\/(KeySheetDialog|PaletteDialog|RangeForm|commands|shortenAddress)|lib\/(typedRange|views|viewState|shortLink)|ui\/(Dialog|Keys|CopyButton))\./;
const TOOLS =
  /src\/(charts\/(LineChart|lines)|lib\/editDistance|pages\/explore\/(CellTools|ColumnEdge|ComparePanel|CopyMenu|Drawer|DrawerFrame|Empty|FieldHint|PartNote|RangeSlider|SaveForm|SignalBar|signalChips|TableView|tableRows|TimeSeries|timeLines|ToolMenus|WrappedRows|exportSize|ViewName|ViewsMenu|didYouMean|differences))\./;
const FACETS = /src\/(lib\/facetPins|pages\/explore\/(Facets|FacetValues|facetOrder|usePins))\./;
const PATTERNS = /src\/pages\/patterns\//;
const LATER = [FOLLOWING, EVENTS, CHARTS, MEASURED, DIALOGS, TOOLS, FACETS, PATTERNS];

// What runs before the application: its files need what is in here, not the other way round.
const EARLY = /src\/(early|lib\/(time|defaultView|newQueryId))\.|vite\/preload-helper/;

/** The application's files are fetched with the page; they run when the page has been drawn. */
const preloadApplication: Plugin = {
  name: "preload-application",
  transformIndexHtml: {
    order: "post",
    handler(html, { bundle = {} }) {
      const start = Object.values(bundle).find((file) => file.type === "chunk" && file.name === "start");
      if (start?.type !== "chunk") return [];
      const missing = [start.fileName, ...start.imports].filter((file) => !html.includes(file));
      return missing.map((file) => ({
        tag: "link",
        attrs: { rel: "modulepreload", crossorigin: true, href: `./${file}` },
        injectTo: "head" as const,
      }));
    },
  },
};

// Parts of ECharts that it reaches for whatever is drawn, and our lines never do: 12 kB of 150.
const NOTHING = "() => null";
const UNUSED_OF_ECHARTS: Readonly<Record<string, string>> = {
  "echarts/lib/preprocessor/backwardCompat.js": `export default ${NOTHING}`,
  "echarts/lib/theme/dark.js": "export default {}",
  "echarts/lib/i18n/langZH.js": "export default {}",
  "echarts/lib/util/decal.js": `export const createOrUpdatePatternFromDecal = ${NOTHING}`,
  "echarts/lib/scale/Log.js": "export default class {}",
  "echarts/lib/scale/Time.js": `export default class {}; export const calcNiceForTimeScale = ${NOTHING}`,
  "zrender/lib/graphic/helper/roundSector.js": `export const buildPath = ${NOTHING}`,
  "zrender/lib/tool/path.js": ["createFromString", "extendFromString", "mergePath", "clonePath"]
    .map((name) => `export const ${name} = ${NOTHING};`)
    .join(""),
};

const leanEcharts: Plugin = {
  name: "lean-echarts",
  enforce: "pre",
  apply: "build",
  load(id) {
    const [, file = ""] = id.split("/node_modules/");
    const code = UNUSED_OF_ECHARTS[file];
    return code === undefined ? null : { code, moduleSideEffects: false };
  },
};

export default defineConfig({
  base: "./",
  plugins: [react(), tailwind(), leanEcharts, preloadApplication],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: {
    outDir: "../src/logstream/dashboard/web",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0, // the content security policy allows no data: scripts or styles
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    // What two pages need is one file: many small ones compress worse and each is a request.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "early", priority: 2, test: EARLY },
            {
              name: "shared",
              minShareCount: 2,
              priority: 1,
              test: (id) => !LATER.some((group) => group.test(id)),
            },
            { name: "events", minShareCount: 2, test: EVENTS, priority: 1 },
            { name: "dialogs", test: DIALOGS, priority: 1 },
            { name: "tools", test: TOOLS },
            { name: "facets", test: FACETS },
            { name: "following", minShareCount: 2, test: FOLLOWING },
            { name: "charts", test: CHARTS, priority: 1 },
            { name: "measured", test: MEASURED, priority: 1 },
            { name: "patterns", minShareCount: 2, test: PATTERNS },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": api, "/health": api, "/ready": api } },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"], testTimeout: 30_000 },
});
