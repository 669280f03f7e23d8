/** Between two tails: pulled with the pointer or moved with the arrow keys. */
import { useState } from "react";
import { SPLIT_PERCENT } from "@/app/search";

const { least: LEAST, most: MOST } = SPLIT_PERCENT;
const within = (percent: number): number => Math.round(Math.min(MOST, Math.max(LEAST, percent)));

interface DividerProps {
  /** Of the width, left of it. */
  readonly percent: number;
  /** While it is pulled. */
  readonly onMove: (percent: number) => void;
  /** When it is let go of. */
  readonly onSettle: (percent: number) => void;
}

export function Divider({ percent, onMove, onSettle }: DividerProps) {
  const [pulled, setPulled] = useState(false);
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the first tail"
      aria-valuenow={percent}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      className="relative w-px shrink-0 cursor-col-resize touch-none bg-line before:absolute before:inset-y-0 before:-left-1 before:z-10 before:w-[9px] hover:bg-accent hover:before:bg-accent/20 focus-visible:bg-accent max-lg:hidden"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setPulled(true);
      }}
      onPointerMove={(event) => {
        const box = event.currentTarget.parentElement?.getBoundingClientRect();
        if (pulled && box) onMove(within(((event.clientX - box.left) / box.width) * 100));
      }}
      onPointerUp={() => {
        setPulled(false);
        onSettle(percent);
      }}
      onDoubleClick={() => onSettle(50)}
      onKeyDown={(event) => {
        const step = event.key === "ArrowLeft" ? -2 : event.key === "ArrowRight" ? 2 : 0;
        if (step === 0) return;
        event.preventDefault();
        onSettle(within(percent + step));
      }}
    />
  );
}
