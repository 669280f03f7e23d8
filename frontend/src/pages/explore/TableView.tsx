// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus and names its active row
/** The answer of a query with pipes: a table that sorts, and its lines over time or its bars. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import type { ExploreSearch } from "@/app/search";
import { Chart } from "@/charts/Chart";
import { whole } from "@/lib/format";
import { TimeSeries } from "@/pages/explore/TimeSeries";
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
import { linesOf, type TableQuestion } from "@/pages/explore/timeLines";
import type { ExploreChange } from "@/pages/explore/useExplore";
import { Icon } from "@/ui/icons";
import { LogText } from "@/ui/LogText";

const MOST_BARS = 60;
const ROW_PX = 28;

interface TableViewProps {
  readonly rows: readonly TableRow[];
  readonly asked: TableQuestion;
  /** The rows are still those of a question before. */
  readonly stale: boolean;
  readonly sort: ExploreSearch["sort"];
  readonly bars: ExploreSearch["bars"];
  readonly onChange: (change: Pick<ExploreChange, "sort" | "bars">) => void;
}

export function TableView({ rows, asked, stale, sort, bars, onChange }: TableViewProps) {
  const drawn = bars !== "hidden";
  const scroller = useRef<HTMLDivElement>(null);
  const columns = useMemo(() => columnsOf(rows), [rows]);
  const order = useMemo(() => orderOf(sort, columns), [sort, columns]);
  const numeric = useMemo(
    () => new Set(columns.filter((column) => isNumeric(rows, column))),
    [rows, columns],
  );
  const sorted = useMemo(() => sortedRows(rows, order), [rows, order]);
  const answered = useRef(asked);
  if (!stale) answered.current = asked;
  const { query, from_ms, to_ms } = answered.current;
  const over = useMemo(
    () => linesOf(rows, columns, { query, from_ms, to_ms }, order?.column),
    [rows, columns, query, from_ms, to_ms, order],
  );
  const chart = useMemo(
    () => (over ? null : chartOf(sorted, columns, MOST_BARS, order?.column)),
    [over, sorted, columns, order],
  );
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
      {over || chart ? (
        <div className="border-b border-line px-3 pt-1.5 pb-1">
          <button
            type="button"
            aria-expanded={drawn}
            className="flex items-center gap-1 text-[11px] text-mute hover:text-ink"
            onClick={() => onChange({ bars: drawn ? "hidden" : undefined })}
          >
            <Icon name={drawn ? "down" : "right"} size={11} />
            {over?.title ?? chart?.column}
            {over ? " over time" : sorted.length > MOST_BARS ? ` of the first ${MOST_BARS} rows` : ""}
          </button>
          {drawn && over ? <TimeSeries over={over} /> : null}
          {drawn && chart ? <Bars chart={chart} /> : null}
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

/** So few names have room for each; of more some are left out. */
const NAMED_BARS = 12;
/** Where some are left out, a long name would keep away the others. */
const NAME_CHARS = 20;
const BAR_PX = 36;

function Bars({ chart }: { chart: TableChart }) {
  const { column, labels, values } = chart;
  const bars = useMemo(
    () => ({
      labels: labels.length <= NAMED_BARS ? labels : labels.map((label) => label.slice(0, NAME_CHARS)),
      series: [{ fill: "--fill-info", values }],
      splits: 3,
      widest: BAR_PX,
      named: labels.length <= NAMED_BARS,
    }),
    [labels, values],
  );
  return (
    <Chart
      bars={bars}
      height={150}
      ariaLabel={`${column} of ${values.length} rows as bars`}
      tooltip={(at) => (
        <p className="flex max-w-100 justify-between gap-4">
          <bdi className="truncate">{labels[at]}</bdi>
          <span>{whole(values[at] ?? 0)}</span>
        </p>
      )}
    />
  );
}
