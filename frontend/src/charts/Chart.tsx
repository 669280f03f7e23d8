/**
 * Bars, painted anew with the width and the theme. Pointing, clicking and dragging are React's, over
 * the categories: the same for mouse and keyboard, and a tooltip that is text.
 */
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { useTheme } from "@/app/theme";
import { type Bars, type Plot, plotOf } from "@/charts/bars";
import { ChartPointer } from "@/charts/ChartPointer";
import { labelWidth, paint } from "@/charts/paint";
import { useWidth } from "@/charts/useWidth";

interface ChartProps {
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
}

export function Chart({ bars, ariaLabel, height, ...pointing }: ChartProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(canvas);
  const [plot, setPlot] = useState<Plot | null>(null);
  const theme = useTheme();
  // the theme changes what the colours are
  useLayoutEffect(() => {
    if (!canvas.current || width === 0) return;
    const made = plotOf(bars, width, height, labelWidth(canvas.current));
    paint(canvas.current, bars, made, width, height);
    setPlot(made);
  }, [bars, width, height, theme]);
  return (
    <div className="relative" style={{ height }}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={ariaLabel}
        className="absolute inset-0"
        style={{ width, height }}
      />
      {plot && bars.labels.length > 0 ? (
        <ChartPointer
          plot={plot}
          width={width}
          categories={bars.labels.length}
          label={ariaLabel}
          {...pointing}
        />
      ) : null}
    </div>
  );
}
