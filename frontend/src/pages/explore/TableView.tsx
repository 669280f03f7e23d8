// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus and names its active row
/** The answer of a query with pipes: a table that sorts, and its bars. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import type { ExploreSearch } from "@/app/search";
import { Chart, type ChartOption } from "@/charts/Chart";
import type { Colours } from "@/charts/colours";
import { compact, whole } from "@/lib/format";
import {
  chartOf,
  columnsOf,
  isNumeric,
  orderAfter,
  orderOf,
  orderText,
  sortedRows,
  type TableChart,
  type TableRow,
} from "@/pages/explore/tableRows";
import type { ExploreChange } from "@/pages/explore/useExplore";
import { Icon } from "@/ui/icons";
import { LogText } from "@/ui/LogText";

const MOST_BARS = 60;
const ROW_PX = 28;

interface TableViewProps {
  readonly rows: readonly TableRow[];
  readonly stale: boolean;
  readonly sort: ExploreSearch["sort"];
  readonly bars: ExploreSearch["bars"];
  readonly onChange: (change: Pick<ExploreChange, "sort" | "bars">) => void;
}

export function TableView({ rows, stale, sort, bars, onChange }: TableViewProps) {
  const drawn = bars !== "hidden";
  const scroller = useRef<HTMLDivElement>(null);
  const columns = useMemo(() => columnsOf(rows), [rows]);
  const order = useMemo(() => orderOf(sort, columns), [sort, columns]);
  const numeric = useMemo(
    () => new Set(columns.filter((column) => isNumeric(rows, column))),
    [rows, columns],
  );
  const sorted = useMemo(() => sortedRows(rows, order), [rows, order]);
  const chart = useMemo(() => chartOf(sorted, columns, MOST_BARS, order?.column), [sorted, columns, order]);
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const grid = {
    gridTemplateColumns: columns
      .map((column) => (numeric.has(column) ? "minmax(90px, 160px)" : "minmax(120px, 1fr)"))
      .join(" "),
  };
  const sortBy = (column: string) =>
    onChange({ sort: orderText(orderAfter(order, column, numeric.has(column))) });
  return (
    <div className={`flex min-h-0 flex-1 flex-col ${stale ? "opacity-50" : ""}`}>
      {chart ? (
        <div className="border-b border-line px-3 pt-1.5 pb-1">
          <button
            type="button"
            aria-expanded={drawn}
            className="flex items-center gap-1 text-[11px] text-mute hover:text-ink"
            onClick={() => onChange({ bars: drawn ? "hidden" : undefined })}
          >
            <Icon name={drawn ? "down" : "right"} size={11} />
            {chart.column}
            {sorted.length > MOST_BARS ? ` of the first ${MOST_BARS} rows` : ""}
          </button>
          {drawn ? <Bars chart={chart} /> : null}
        </div>
      ) : null}
      <div
        ref={scroller}
        role="table"
        aria-label="Result"
        aria-rowcount={sorted.length + 1}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
        tabIndex={0}
        className="min-h-0 flex-1 overflow-auto focus-visible:outline-offset-[-2px]"
      >
        <div
          role="row"
          style={grid}
          className="sticky top-0 z-10 grid h-7 min-w-max items-center border-b border-line bg-panel"
        >
          {columns.map((column) => (
            <span
              key={column}
              role="columnheader"
              aria-sort={order?.column === column ? (order.down ? "descending" : "ascending") : "none"}
              className="min-w-0 px-3"
            >
              <button
                type="button"
                onClick={() => sortBy(column)}
                className={`flex w-full items-center gap-1 text-[12px] text-mute hover:text-ink ${numeric.has(column) ? "justify-end" : ""}`}
              >
                <bdi className="truncate">{column}</bdi>
                {order?.column === column ? (order.down ? "↓" : "↑") : null}
              </button>
            </span>
          ))}
        </div>
        <div role="rowgroup" className="relative min-w-max" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 2}
              style={{ ...grid, transform: `translateY(${item.start}px)`, height: ROW_PX }}
              className="absolute top-0 left-0 grid w-full items-center border-b border-line/40 font-mono text-[12px] hover:bg-raised"
            >
              {columns.map((column) => (
                <Cell
                  key={column}
                  value={sorted[item.index]?.[column] ?? null}
                  numeric={numeric.has(column)}
                />
              ))}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

function Cell({ value, numeric }: { value: string | number | null; numeric: boolean }) {
  return (
    <span role="cell" className={`truncate px-3 ${numeric ? "text-right tabular-nums" : ""}`}>
      {value === null ? (
        <span className="text-mute opacity-60">null</span>
      ) : typeof value === "number" ? (
        Number.isInteger(value) ? (
          whole(value)
        ) : (
          value.toLocaleString("en", { maximumFractionDigits: 3 })
        )
      ) : (
        <LogText text={value} />
      )}
    </span>
  );
}

function Bars({ chart }: { chart: TableChart }) {
  const [box, width_px] = useWidth();
  const option = useMemo(
    () => (colours: Colours) => barsOption(chart, colours, width_px - AXIS_PX),
    [chart, width_px],
  );
  const bars = chart.values.length;
  return (
    <div ref={box}>
      <Chart
        option={option}
        height={150}
        categories={bars}
        ariaLabel={`${chart.column} of ${bars} rows as bars`}
        tooltip={(at) => (
          <p className="flex max-w-100 justify-between gap-4">
            <bdi className="truncate">{chart.labels[at]}</bdi>
            <span>{whole(chart.values[at] ?? 0)}</span>
          </p>
        )}
      />
    </div>
  );
}

function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width_px, setWidth] = useState(800);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [box, width_px] as const;
}

/** So few names have room for each; of more some are left out. */
const NAMED_BARS = 12;
/** What the values' own names take of the width, about. */
const AXIS_PX = 56;

function barsOption(chart: TableChart, colours: Colours, room_px: number): ChartOption {
  return {
    textStyle: { fontFamily: colours.fontFamily },
    grid: { left: 8, right: 8, top: 10, bottom: 4, containLabel: true },
    xAxis: {
      type: "category",
      data: [...chart.labels],
      axisLine: { lineStyle: { color: colours.line } },
      axisTick: { show: false },
      axisLabel: {
        color: colours.mute,
        fontSize: 10,
        interval: chart.labels.length <= NAMED_BARS ? 0 : "auto",
        width: chart.labels.length <= NAMED_BARS ? Math.floor(room_px / chart.labels.length) - 8 : 120,
        overflow: "truncate",
      },
    },
    yAxis: {
      type: "value",
      splitNumber: 3,
      axisLabel: { color: colours.mute, fontSize: 10, formatter: (value: number) => compact(value) },
      splitLine: { lineStyle: { color: colours.line, opacity: 0.6 } },
    },
    series: [
      {
        type: "bar",
        silent: true,
        barMaxWidth: 36,
        itemStyle: { color: colours.of("--fill-info") },
        data: [...chart.values],
      },
    ],
  };
}
