/** Rows of one height: which of them are in sight is arithmetic, whatever their number. */
import { type ReactNode, type RefObject, useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { useKeyShift } from "@/lib/useKeyShift";

/** Drawn above and below what is in sight: the browser scrolls before it asks for more. */
const BESIDE_ROWS = 8;

export interface RowsProps {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly count: number;
  /** Pixels of one row. */
  readonly height: number;
  /** Pixels that stand above the rows, and stay over them. */
  readonly header: number;
  /** What is to be in sight; -1: nothing in particular. */
  readonly cursor: number;
  readonly draw: (index: number, key: number) => ReactNode;
  /** Up to which row it was drawn. */
  readonly onLast: (index: number) => void;
  readonly className: string;
}

export function FixedRows(props: RowsProps) {
  const { scroller, count, height, header, cursor, draw, onLast, className } = props;
  const [top, setTop] = useState(0);
  const [fits, setFits] = useState(50);
  // After the layout's effects: only then the ref of what is around this is set.
  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const look = () => setTop(Math.floor(box.scrollTop / height));
    const measure = () => setFits(Math.ceil(box.clientHeight / height) + 1);
    // In this frame: the one after would first show where rows are missing.
    const onScroll = () => flushSync(look);
    look();
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    box.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener("scroll", onScroll);
    };
  }, [scroller, height]);
  useEffect(() => {
    const box = scroller.current;
    if (!box || cursor < 0) return;
    const [above, below] = [cursor * height, (cursor + 1) * height + header - box.clientHeight];
    if (above < box.scrollTop) box.scrollTop = above;
    else if (below > box.scrollTop) box.scrollTop = below;
  }, [scroller, cursor, height, header]);
  const first = Math.max(0, Math.min(top, count - fits) - BESIDE_ROWS);
  const end = Math.min(count, Math.min(top, count) + fits + BESIDE_ROWS);
  const shift = useKeyShift(first, end - 1);
  useEffect(() => onLast(end - 1), [onLast, end]);
  const drawn = [];
  for (let index = first; index < end; index += 1) drawn.push(draw(index, index + shift));
  return (
    <div role="rowgroup" className={className} style={{ height: count * height }}>
      {/* Rows follow each other: placed one by one, each would be a layer. */}
      <div style={{ height: first * height }} />
      {drawn}
    </div>
  );
}
