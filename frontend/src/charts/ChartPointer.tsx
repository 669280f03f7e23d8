/** What lies over a chart: the pointed-at category, the dragged range, the tooltip. */
import type { EChartsType } from "echarts/core";
import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from "react";

interface PointerProps {
  readonly chart: EChartsType;
  readonly categories: number;
  readonly label: string;
  readonly onBrush?: (first: number, last: number) => void;
  readonly onClick?: (category: number) => void;
  readonly tooltip?: (category: number) => ReactNode;
}

/** Pixels the pointer may move and it is still a click. */
const CLICK_PX = 4;

interface Span {
  readonly anchor: number;
  readonly at: number;
}

export function ChartPointer({ chart, categories, label, onBrush, onClick, tooltip }: PointerProps) {
  const [span, setSpan] = useState<Span | null>(null);
  const [dragging, setDragging] = useState(false);
  const start = useRef<{ x: number; category: number } | null>(null);

  const categoryAt = (event: PointerEvent<HTMLElement>) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const found: unknown = chart.convertFromPixel({ xAxisIndex: 0 }, x);
    const index = typeof found === "number" && Number.isFinite(found) ? Math.round(found) : 0;
    return Math.min(categories - 1, Math.max(0, index));
  };
  const edges = (first: number, last: number) => {
    const at = (index: number) => {
      const x: unknown = chart.convertToPixel({ xAxisIndex: 0 }, index);
      return typeof x === "number" ? x : 0;
    };
    const half = categories > 1 ? (at(1) - at(0)) / 2 : chart.getWidth() / 2;
    return { left: at(first) - half, right: at(last) + half };
  };

  const onMove = (event: PointerEvent<HTMLElement>) => {
    const category = categoryAt(event);
    const from = start.current;
    if (from && onBrush && Math.abs(event.clientX - from.x) > CLICK_PX) {
      setDragging(true);
      setSpan({ anchor: from.category, at: category });
    } else if (!dragging) setSpan({ anchor: category, at: category });
  };
  const onUp = (event: PointerEvent<HTMLElement>) => {
    const from = start.current;
    start.current = null;
    setDragging(false);
    if (!from) return;
    const category = categoryAt(event);
    if (dragging) onBrush?.(Math.min(from.category, category), Math.max(from.category, category));
    else onClick?.(category);
    setSpan({ anchor: category, at: category });
  };
  const onKey = (event: KeyboardEvent<HTMLElement>) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (event.key === "Escape" && span) {
      event.preventDefault();
      event.stopPropagation();
      start.current = null;
      setDragging(false);
      setSpan(null);
    } else if (event.key === "Enter" && span) {
      event.preventDefault();
      if (span.anchor !== span.at && onBrush)
        onBrush(Math.min(span.anchor, span.at), Math.max(span.anchor, span.at));
      else onClick?.(span.at);
    } else if (step) {
      event.preventDefault();
      const at = Math.min(categories - 1, Math.max(0, span ? span.at + step : step > 0 ? 0 : categories - 1));
      setSpan({ anchor: event.shiftKey && span ? span.anchor : at, at });
    }
  };

  const [first, last] = span ? [Math.min(span.anchor, span.at), Math.max(span.anchor, span.at)] : [0, 0];
  const { left, right } = span && span.at < categories ? edges(first, last) : { left: 0, right: 0 };
  const onRight = left > chart.getWidth() / 2;
  const hint = onBrush ? "Arrow keys move, Shift+arrows select, Enter zooms" : "Arrow keys move";
  return (
    // a role follows from the handlers given
    <div
      className={`absolute inset-0 touch-none select-none ${onBrush ? "cursor-crosshair" : ""}`}
      role="application"
      aria-label={`${label}. ${hint}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard brushes too
      tabIndex={0}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        start.current = { x: event.clientX, category: categoryAt(event) };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={() => {
        start.current = null;
        setDragging(false);
      }}
      onPointerLeave={() => {
        if (!start.current) setSpan(null);
      }}
      onBlur={() => setSpan(null)}
      onKeyDown={onKey}
    >
      {span ? (
        <div
          className={`pointer-events-none absolute inset-y-0 ${first === last ? "bg-ink/10" : "border-x border-accent bg-accent/15"}`}
          style={{ left, width: Math.max(1, right - left) }}
        />
      ) : null}
      {span && tooltip && !dragging && span.at < categories ? (
        <div
          role="status"
          className="pointer-events-none absolute top-0 z-30 min-w-40 rounded-md border border-line bg-raised px-2.5 py-1.5 text-[12px] whitespace-nowrap tabular-nums shadow-lg shadow-black/30"
          style={onRight ? { right: chart.getWidth() - left + 8 } : { left: right + 8 }}
        >
          {tooltip(span.at)}
        </div>
      ) : null}
    </div>
  );
}
