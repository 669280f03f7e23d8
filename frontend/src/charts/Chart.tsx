/**
 * One ECharts instance: loaded after first paint, resized with its box, redrawn on theme change.
 * Pointing, clicking and dragging are done here in React, over categories of the first x axis:
 * the same for mouse and keyboard, and a tooltip that is text, never HTML.
 */
import type { EChartsCoreOption, EChartsType } from "echarts/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTheme } from "@/app/theme";
import type { ChartPointer } from "@/charts/ChartPointer";
import { type Colours, themeColours } from "@/charts/colours";

export type ChartOption = EChartsCoreOption;

export interface ChartProps {
  /** A function is given the theme's colours and called again when the theme changes. Keep it stable. */
  readonly option: ChartOption | ((colours: Colours) => ChartOption);
  readonly ariaLabel: string;
  /** Pixels. */
  readonly height: number;
  /** How many categories the x axis has; needed for pointing at them. */
  readonly categories?: number;
  /** First and last category that were dragged over, both included. */
  readonly onBrush?: (first: number, last: number) => void;
  readonly onClick?: (category: number) => void;
  readonly tooltip?: (category: number) => ReactNode;
  /** Opens below a dragged range, in place of `onBrush`. */
  readonly brushMenu?: (first: number, last: number, close: () => void) => ReactNode;
  /** First and last category of what stays marked. */
  readonly marked?: readonly [number, number] | undefined;
}

export function Chart(props: ChartProps) {
  const { option, ariaLabel, height, categories = 0, onBrush, onClick, tooltip, brushMenu, marked } = props;
  const box = useRef<HTMLDivElement>(null);
  const [loaded, setLoaded] = useState<{ chart: EChartsType; Pointer: typeof ChartPointer } | null>(null);
  const chart = loaded?.chart;
  const [failed, setFailed] = useState(false);
  const theme = useTheme();
  useEffect(() => {
    let made: EChartsType | null = null;
    let gone = false;
    import("@/charts/echarts").then(
      ({ init, ChartPointer: Pointer }) => {
        if (gone || !box.current) return;
        made = init(box.current, null, { renderer: "canvas" });
        setLoaded({ chart: made, Pointer });
      },
      () => setFailed(true),
    );
    return () => {
      gone = true;
      made?.dispose();
      setLoaded(null);
    };
  }, []);
  useEffect(() => {
    if (!chart || !box.current) return;
    const { current } = box;
    const observer = new ResizeObserver(() => {
      // It tells of the size at the start too, which the chart was made with.
      const same = chart.getWidth() === current.clientWidth && chart.getHeight() === current.clientHeight;
      if (!same) chart.resize();
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, [chart]);
  // the theme changes what the option's colours are
  useEffect(() => {
    if (!chart || chart.isDisposed()) return;
    const made = typeof option === "function" ? option(themeColours()) : option;
    chart.setOption({ animation: false, ...made }, { notMerge: true, lazyUpdate: false });
  }, [chart, option, theme]);
  const pointed = brushMenu ?? onBrush ?? onClick ?? tooltip;
  return (
    <div className="relative" style={{ height }}>
      <div ref={box} role="img" aria-label={ariaLabel} className="h-full w-full" />
      {failed ? (
        <p className="absolute inset-0 grid place-content-center text-mute">The chart could not be loaded</p>
      ) : null}
      {loaded && pointed && categories > 0 ? (
        <loaded.Pointer
          chart={loaded.chart}
          categories={categories}
          label={ariaLabel}
          {...(onBrush ? { onBrush } : {})}
          {...(onClick ? { onClick } : {})}
          {...(tooltip ? { tooltip } : {})}
          {...(brushMenu ? { brushMenu } : {})}
          marked={marked}
        />
      ) : null}
    </div>
  );
}
