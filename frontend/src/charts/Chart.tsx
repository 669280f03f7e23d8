/**
 * Bars: painted at once, and by ECharts when it has been loaded; anew with the width and the theme. Pointing, clicking and dragging are
 * React's, over the categories: the same for mouse and keyboard, and a tooltip that is text.
 */
import type { EChartsType } from "echarts/core";
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTheme } from "@/app/theme";
import { type Bars, type Plot, plotOf } from "@/charts/bars";
import { ChartPointer } from "@/charts/ChartPointer";
import { labelWidth, paint } from "@/charts/paint";
import { whenIdle } from "@/ui/later";

export interface ChartProps {
  /** Keep it stable. */
  readonly bars: Bars;
  readonly ariaLabel: string;
  /** Pixels. */
  readonly height: number;
  /** First and last category that were dragged over, both included. */
  readonly onBrush?: (first: number, last: number) => void;
  readonly onClick?: (category: number) => void;
  readonly tooltip: (category: number) => ReactNode;
  /** Opens below a dragged range, in place of `onBrush`. */
  readonly brushMenu?: (first: number, last: number, close: () => void) => ReactNode;
  /** First and last category of what stays marked. */
  readonly marked?: readonly [number, number] | undefined;
  /** Loads ECharts, which takes over when there is time. Keep it stable; absent: what was painted stays. */
  readonly library?: () => Promise<typeof import("@/charts/echarts")>;
}

/** What stands where, of these bars in this width. */
export interface Drawn {
  readonly bars: Bars;
  readonly plot: Plot;
  readonly width: number;
  readonly height: number;
}

interface Library {
  readonly chart: EChartsType;
  readonly optionOf: typeof import("@/charts/echarts").optionOf;
}

export function Chart({ bars, ariaLabel, height, library: load, ...pointing }: ChartProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  const [library, setLibrary] = useState<Library | null>(null);
  const over = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  useLayoutEffect(() => {
    const box = canvas.current?.parentElement;
    if (!box) return;
    setWidth(box.clientWidth);
    const observer = new ResizeObserver(() => setWidth(box.clientWidth));
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  // the theme changes what the colours are
  useLayoutEffect(() => {
    if (!canvas.current || width === 0) return;
    const made = plotOf(bars, width, height, labelWidth(canvas.current));
    if (!library) paint(canvas.current, bars, made, width, height);
    setDrawn({ bars, plot: made, width, height });
  }, [bars, width, height, theme, library]);
  useEffect(() => {
    if (!load) return;
    let chart: EChartsType | null = null;
    let gone = false;
    whenIdle(load).then(
      ({ init, optionOf }) => {
        if (gone || !over.current) return;
        chart = init(over.current, null, { renderer: "canvas" });
        setLibrary({ chart, optionOf });
      },
      () => undefined, // what was painted stays
    );
    return () => {
      gone = true;
      chart?.dispose();
      setLibrary(null);
    };
  }, [load]);
  useLayoutEffect(() => {
    if (!library || library.chart.isDisposed() || !drawn) return;
    const { chart, optionOf } = library;
    if (chart.getWidth() !== drawn.width || chart.getHeight() !== drawn.height) chart.resize(drawn);
    chart.setOption(optionOf(drawn), { notMerge: true, lazyUpdate: false });
  }, [library, drawn]);
  return (
    <div className="relative" style={{ height }}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={ariaLabel}
        className={`absolute inset-0 ${library ? "opacity-0" : ""}`}
        style={{ width, height }}
      />
      <div ref={over} aria-hidden="true" className="absolute inset-0" />
      {drawn && bars.labels.length > 0 ? (
        <ChartPointer
          plot={drawn.plot}
          width={width}
          categories={bars.labels.length}
          label={ariaLabel}
          {...pointing}
        />
      ) : null}
    </div>
  );
}
