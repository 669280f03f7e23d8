/** Lines over time, drawn by ECharts once it has been loaded; its room is kept until then. */
import type { EChartsType } from "echarts/core";
import { type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTheme } from "@/app/theme";
import { ChartPointer } from "@/charts/ChartPointer";
import { binsPlot, type Lines } from "@/charts/lines";
import { useWidth } from "@/charts/useWidth";
import type { Zone } from "@/lib/time";

interface LineChartProps extends Lines {
  readonly zone: Zone;
  readonly ariaLabel: string;
  /** Pixels. */
  readonly height: number;
  readonly tooltip: (bin: number) => ReactNode;
}

type Library = typeof import("@/charts/echarts");

export function LineChart(props: LineChartProps) {
  const { lines, first_ms, bin_ms, bins, zone, ariaLabel, height, tooltip } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const library = useLibrary();
  const [chart, setChart] = useState<EChartsType | null>(null);
  const theme = useTheme();
  useEffect(() => {
    if (!box.current || !library || library === "failed") return;
    const made = library.init(box.current, null, { renderer: "canvas" });
    setChart(made);
    return () => made.dispose();
  }, [library]);
  // the theme changes what the colours are
  useLayoutEffect(() => {
    if (!chart || chart.isDisposed() || !library || library === "failed" || width === 0) return;
    chart.resize({ width, height });
    chart.setOption(library.optionOf({ lines, first_ms, bin_ms, bins }, width, zone), { notMerge: true });
  }, [chart, library, lines, first_ms, bin_ms, bins, width, height, zone, theme]);
  const plot = useMemo(
    () => binsPlot({ lines, first_ms, bin_ms, bins }, width, height),
    [lines, first_ms, bin_ms, bins, width, height],
  );
  return (
    <div className="relative" style={{ height }} aria-busy={chart === null && library !== "failed"}>
      <div ref={box} role="img" aria-label={ariaLabel} style={{ width, height }} />
      {library === "failed" ? (
        <p role="alert" className="absolute inset-0 p-3 text-error">
          The chart could not be loaded; the table has its numbers
        </p>
      ) : width > 0 ? (
        <ChartPointer plot={plot} width={width} categories={bins} label={ariaLabel} tooltip={tooltip} />
      ) : null}
    </div>
  );
}

function useLibrary(): Library | "failed" | null {
  const [library, setLibrary] = useState<Library | "failed" | null>(null);
  useEffect(() => {
    let gone = false;
    const set = (loaded: Library | "failed") => {
      if (!gone) setLibrary(loaded);
    };
    import("@/charts/echarts").then(set, () => set("failed"));
    return () => {
      gone = true;
    };
  }, []);
  return library;
}
