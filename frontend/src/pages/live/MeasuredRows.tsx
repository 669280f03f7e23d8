/** Wrapped rows that stand still: each as high as its text, which is known when it is in sight. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useLayoutEffect } from "react";
import type { Zone } from "@/lib/time";
import { paint } from "./highlight";
import { ROW_PX, TailRow } from "./TailRow";
import type { Tail } from "./tail";

interface MeasuredRowsProps {
  readonly tail: Tail;
  readonly box: RefObject<HTMLDivElement | null>;
  readonly terms: readonly string[];
  readonly selected: number | null;
  readonly zone: Zone;
  readonly list: string;
}

export function MeasuredRows({ tail, box, terms, selected, zone, list }: MeasuredRowsProps) {
  const { shown } = tail.buffer;
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
    anchorTo: "end",
    getItemKey: (index) => shown.first + index,
  });
  // It begins where it stood when it was stopped.
  useLayoutEffect(() => rows.scrollToEnd(), [rows]);
  useLayoutEffect(() => {
    if (box.current) paint(box.current, terms);
  });
  useEffect(() => {
    if (selected !== null) rows.scrollToIndex(selected - 1 - shown.first, { align: "auto" });
  }, [rows, selected, shown]);
  return (
    <div className="relative" style={{ height: rows.getTotalSize() }}>
      {rows.getVirtualItems().map(({ index, key, start }) => {
        const item = shown.at(index);
        const number = shown.first + index + 1;
        return item ? (
          <div
            key={key}
            ref={rows.measureElement}
            data-index={index}
            role="presentation"
            className="absolute inset-x-0 top-0"
            style={{ transform: `translateY(${start}px)` }}
          >
            <TailRow
              item={item}
              number={number}
              selected={number === selected}
              zone={zone}
              list={list}
              wrap
            />
          </div>
        ) : null;
      })}
    </div>
  );
}
