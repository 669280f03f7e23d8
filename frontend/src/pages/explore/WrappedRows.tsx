/** Rows as high as their text, which is known when they are drawn. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useState } from "react";
import type { RowsProps } from "@/pages/explore/FixedRows";

interface WrappedRowsProps extends RowsProps {
  /** A row keeps its height under this name. */
  readonly idAt: (index: number) => string;
  /** Heights are estimated anew when this changes. */
  readonly lookKey: string;
}

export function WrappedRows(props: WrappedRowsProps) {
  const { scroller, count, height, header, cursor, draw, onLast, className, idAt, lookKey } = props;
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 8,
    scrollMargin: header,
    scrollPaddingStart: header,
    // For another function all rows are gone through anew.
    getItemKey: idAt,
  });
  // What scrolls is around this, and its ref is set after this is first drawn.
  const [, drawAgain] = useState(false);
  useEffect(() => drawAgain(true), []);
  useEffect(() => virtual.measure(), [lookKey]);
  useEffect(() => {
    if (cursor >= 0) virtual.scrollToIndex(cursor, { align: "auto" });
  }, [cursor, virtual]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => onLast(last), [onLast, last]);
  return (
    <div role="rowgroup" className={className} style={{ height: virtual.getTotalSize() }}>
      {items.map(({ index, key, start }) => (
        <div
          key={key}
          role="presentation"
          data-index={index}
          ref={virtual.measureElement}
          className="absolute top-0 left-0 w-full"
          style={{ transform: `translateY(${start - header}px)` }}
        >
          {draw(index, index)}
        </div>
      ))}
    </div>
  );
}
