/** The right edge of a column: pulled, or moved with the arrow keys; a double click puts it back. */
import { useRef, useState } from "react";
import { COLUMN_CH } from "@/app/search";
import { fieldLabel } from "@/lib/fieldNames";
import { widthOf } from "@/pages/explore/layout";

interface ColumnEdgeProps {
  readonly name: string;
  /** Characters. */
  readonly width: number;
  readonly onWidth: (width: number) => void;
}

export function ColumnEdge({ name, width, onWidth }: ColumnEdgeProps) {
  const pull = useRef<{ x: number; pixels: number } | null>(null);
  // The columns follow when it is let go: drawing all rows anew for every pixel is not worth it.
  const [by, setBy] = useState<number | null>(null);
  return (
    // a splitter, not a rule between texts
    <span
      role="separator"
      aria-orientation="vertical"
      aria-label={`Width of ${fieldLabel(name)}`}
      aria-valuenow={width}
      aria-valuemin={COLUMN_CH.least}
      aria-valuemax={COLUMN_CH.most}
      tabIndex={0}
      draggable
      style={{ transform: `translateX(${by ?? 0}px)` }}
      className={`absolute -top-0.5 -right-2.5 z-10 w-2 cursor-col-resize touch-none before:absolute before:inset-y-1 before:left-1 before:w-px hover:before:bg-accent ${by === null ? "h-6 before:bg-line" : "h-[80vh] before:bg-accent"}`}
      onDragStart={(event) => {
        event.preventDefault(); // the column itself is what can be dragged about
        event.stopPropagation();
      }}
      onPointerDown={(event) => {
        const box = event.currentTarget.parentElement?.getBoundingClientRect();
        if (!box) return;
        pull.current = { x: event.clientX, pixels: box.width / width };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (pull.current) setBy(event.clientX - pull.current.x);
      }}
      onPointerUp={() => {
        if (pull.current && by !== null) onWidth(width + by / pull.current.pixels);
        pull.current = null;
        setBy(null);
      }}
      onPointerCancel={() => {
        pull.current = null;
        setBy(null);
      }}
      onDoubleClick={() => onWidth(widthOf(undefined, name))}
      onKeyDown={(event) => {
        const step = event.key === "ArrowLeft" ? -2 : event.key === "ArrowRight" ? 2 : 0;
        if (step === 0) return;
        event.preventDefault();
        event.stopPropagation();
        onWidth(width + step);
      }}
    />
  );
}
