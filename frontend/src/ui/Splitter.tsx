/** The edge between two parts of a page: pulled with the pointer or moved with the arrow keys. */
import { type PointerEvent, useRef } from "react";

interface SplitterProps {
  readonly label: string;
  readonly value: number;
  readonly limits: { readonly least: number; readonly most: number };
  /** What a double click goes back to. */
  readonly usual: number;
  /** An arrow key's, to the right. */
  readonly step: number;
  /** The value for a place in the splitter's parent. */
  readonly valueAt: (x: number, parent: DOMRect) => number;
  readonly className: string;
  /** While it is pulled. */
  readonly onPull: (value: number) => void;
  /** When it is let go of. */
  readonly onSettle: (value: number) => void;
}

export function Splitter(props: SplitterProps) {
  const { label, value, limits, usual, step, valueAt, className, onPull, onSettle } = props;
  const pulled = useRef(false);
  const within = (wanted: number) => Math.round(Math.min(limits.most, Math.max(limits.least, wanted)));
  const onMove = (event: PointerEvent<HTMLElement>) => {
    const parent = event.currentTarget.parentElement;
    if (!parent || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    pulled.current = true;
    onPull(within(valueAt(event.clientX, parent.getBoundingClientRect())));
  };
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={value}
      aria-valuemin={limits.least}
      aria-valuemax={limits.most}
      tabIndex={0}
      className={`cursor-col-resize touch-none ${className}`}
      onPointerDown={(event) => event.button === 0 && event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={onMove}
      // Let go of, or taken away.
      onLostPointerCapture={() => {
        if (pulled.current) onSettle(value);
        pulled.current = false;
      }}
      onDoubleClick={() => onSettle(usual)}
      onKeyDown={(event) => {
        const steps = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
        if (steps === 0) return;
        event.preventDefault();
        onSettle(within(value + steps * step));
      }}
    />
  );
}
