/** What lies over a chart: the pointed-at category, the dragged range, the tooltip. */
import {
  type CSSProperties,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useRef,
  useState,
} from "react";
import { categoryAt, edgesOf, type Plot } from "@/charts/bars";

interface PointerProps {
  readonly plot: Plot;
  /** Of the chart, in pixels. */
  readonly width: number;
  readonly categories: number;
  readonly label: string;
  readonly onBrush?: (first: number, last: number) => void;
  readonly onClick?: (category: number) => void;
  readonly tooltip: (category: number) => ReactNode;
  /** What opens below a dragged range, which stays until it is closed; without it `onBrush` is called. */
  readonly brushMenu?: (first: number, last: number, close: () => void) => ReactNode;
  /** Stays marked: the first and the last category of it. */
  readonly marked?: readonly [number, number] | undefined;
}

/** Pixels the pointer may move and it is still a click. */
const CLICK_PX = 4;

interface Span {
  readonly anchor: number;
  readonly at: number;
}

export function ChartPointer(props: PointerProps) {
  const { plot, width, categories, label, onClick, tooltip, brushMenu, marked } = props;
  const [span, setSpan] = useState<Span | null>(null);
  const [held, setHeld] = useState(false);
  const area = useRef<HTMLDivElement>(null);
  const letGo = () => {
    setHeld(false);
    setSpan(null);
    area.current?.focus();
  };
  // What was dragged over stays while its menu is open.
  const onBrush = brushMenu ? () => setHeld(true) : props.onBrush;
  const [dragging, setDragging] = useState(false);
  const start = useRef<{ x: number; category: number } | null>(null);

  const under = (event: PointerEvent<HTMLElement>) =>
    categoryAt(plot, categories, event.clientX - event.currentTarget.getBoundingClientRect().left);

  const onMove = (event: PointerEvent<HTMLElement>) => {
    if (held) return;
    const category = under(event);
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
    const category = under(event);
    if (dragging) {
      onBrush?.(Math.min(from.category, category), Math.max(from.category, category));
      if (brushMenu) return;
    } else onClick?.(category);
    setSpan({ anchor: category, at: category });
  };
  const onKey = (event: KeyboardEvent<HTMLElement>) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (event.key === "Escape" && span) {
      event.preventDefault();
      event.stopPropagation();
      start.current = null;
      setDragging(false);
      setHeld(false);
      setSpan(null);
    } else if (event.key === "Enter" && span) {
      event.preventDefault();
      if (span.anchor !== span.at && onBrush)
        onBrush(Math.min(span.anchor, span.at), Math.max(span.anchor, span.at));
      else onClick?.(span.at);
    } else if (step && !held) {
      event.preventDefault();
      const at = Math.min(categories - 1, Math.max(0, span ? span.at + step : step > 0 ? 0 : categories - 1));
      setSpan({ anchor: event.shiftKey && span ? span.anchor : at, at });
    }
  };

  const [first, last] = span ? [Math.min(span.anchor, span.at), Math.max(span.anchor, span.at)] : [0, 0];
  const { left, right } = span && span.at < categories ? edgesOf(plot, first, last) : { left: 0, right: 0 };
  const onRight = left > width / 2;
  const chooses = brushMenu ? "Enter offers what to do with it" : "Enter zooms";
  const hint = onBrush ? `Arrow keys move, Shift+arrows select, ${chooses}` : "Arrow keys move";
  const mark = marked && marked[1] < categories ? edgesOf(plot, ...marked) : null;
  const surface = (
    // a role follows from the handlers given
    <div
      ref={area}
      className={`absolute inset-0 touch-none select-none ${onBrush ? "cursor-crosshair" : ""}`}
      role="application"
      aria-label={`${label}. ${hint}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard brushes too
      tabIndex={0}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        setHeld(false);
        start.current = { x: event.clientX, category: under(event) };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={() => {
        start.current = null;
        setDragging(false);
      }}
      onPointerLeave={() => {
        if (!start.current && !held) setSpan(null);
      }}
      onBlur={() => {
        if (!held) setSpan(null);
      }}
      onKeyDown={onKey}
    >
      {mark ? (
        <div
          className="pointer-events-none absolute inset-y-0 border-x border-dashed border-accent/80 bg-accent/8"
          style={{ left: mark.left, width: Math.max(1, mark.right - mark.left) }}
        />
      ) : null}
      {span ? (
        <div
          className={`pointer-events-none absolute inset-y-0 ${first === last ? "bg-ink/10" : "border-x border-accent bg-accent/15"}`}
          style={{ left, width: Math.max(1, right - left) }}
        />
      ) : null}
      {span && !dragging && !held && span.at < categories ? (
        <div
          role="status"
          className="pointer-events-none absolute top-0 z-30 min-w-40 rounded-md border border-line bg-raised px-2.5 py-1.5 text-[12px] whitespace-nowrap tabular-nums shadow-lg shadow-black/30"
          style={onRight ? { right: width - left + 8 } : { left: right + 8 }}
        >
          {tooltip(span.at)}
        </div>
      ) : null}
    </div>
  );
  if (!held || !brushMenu) return surface;
  return (
    <>
      {surface}
      <BrushMenu
        style={onRight ? { right: Math.max(EDGE_PX, width - right) } : { left: Math.max(EDGE_PX, left) }}
        onClose={letGo}
        within={area}
      >
        {brushMenu(first, last, letGo)}
      </BrushMenu>
    </>
  );
}

/** What opens over the chart keeps away from the page's edges. */
const EDGE_PX = 12;

interface BrushMenuProps {
  readonly style: CSSProperties;
  readonly onClose: () => void;
  /** A press here begins another range, and closes it by itself. */
  readonly within: RefObject<HTMLElement | null>;
  readonly children: ReactNode;
}

function BrushMenu({ style, onClose, within, children }: BrushMenuProps) {
  const box = useRef<HTMLDivElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    box.current?.querySelector("button")?.focus();
    const onDown = (event: Event) => {
      if (!(event.target instanceof Node)) return;
      if (!box.current?.contains(event.target) && !within.current?.contains(event.target)) close.current();
    };
    document.addEventListener("pointerdown", onDown);
    return () => document.removeEventListener("pointerdown", onDown);
  }, [within]);
  return (
    <div
      ref={box}
      role="dialog"
      aria-label="The marked time"
      style={style}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        onClose();
      }}
      className="absolute top-full z-40 -mt-3 rounded-lg border border-line bg-panel p-1 shadow-xl shadow-black/30"
    >
      {children}
    </div>
  );
}
