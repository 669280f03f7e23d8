/**
 * The rows, of which only those in sight are in the page. Following, it stands at the end; whatever
 * shows that somebody is reading (wheel up, a click, a selection, scrolling away) freezes it.
 */
import {
  type KeyboardEvent,
  type PointerEvent,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { useShared } from "@/app/useShared";
import { useKeyShift } from "@/lib/useKeyShift";
import { isMark } from "./buffer";
import { paint } from "./highlight";
import { MeasuredRows } from "./MeasuredRows";
import { ROW_PX, TailRow } from "./TailRow";
import type { Tail } from "./tail";
import { useRowsVersion } from "./useTail";

const BESIDE_ROWS = 8;
/** A pointer that moved further was selecting text. */
const CLICK_PX = 4;

interface TailListProps {
  readonly tail: Tail;
  /** Of two lists each has its own. */
  readonly name: string;
  readonly terms: readonly string[];
  readonly wrap: boolean;
  /** Number of the selected row, as in `aria-rowindex`. */
  readonly selected: number | null;
  readonly onSelect: (row: number) => void;
  readonly onOpen: (row: number) => void;
}

export function TailList({ tail, name, terms, wrap, selected, onSelect, onOpen }: TailListProps) {
  useRowsVersion(tail);
  const { zone } = useShared();
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const [height, setHeight] = useState(600);
  const [, setTop] = useState(0);
  // Also where it stands while following, for the moment when it freezes.
  const top = useRef(0);
  const expected = useRef(0);
  const pressed = useRef<{ x: number; y: number; frozen: boolean } | null>(null);
  const { shown, frozen } = tail.buffer;
  const measured = wrap && frozen;

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    // React listens to wheels passively and late; the freeze must come before the scroll.
    const onWheel = (event: WheelEvent) => event.deltaY < 0 && tail.freeze();
    element.addEventListener("wheel", onWheel, { passive: true });
    const onSelection = () => {
      const made = document.getSelection();
      if (made && !made.isCollapsed && made.anchorNode && element.contains(made.anchorNode)) tail.freeze();
    };
    document.addEventListener("selectionchange", onSelection);
    return () => {
      observer.disconnect();
      element.removeEventListener("wheel", onWheel);
      document.removeEventListener("selectionchange", onSelection);
    };
  }, [tail]);

  // Following: what is in sight is the end, wherever the scroll bar was.
  const fits = Math.ceil(height / ROW_PX) + 1;
  const from = frozen
    ? Math.max(0, Math.floor(top.current / ROW_PX) - BESIDE_ROWS)
    : Math.max(0, shown.length - fits);
  const to = Math.min(shown.length, from + fits + (frozen ? 2 * BESIDE_ROWS : 0));
  const shift = useKeyShift(shown.first + from, shown.first + to - 1);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    if (!tail.buffer.frozen) {
      element.scrollTop = element.scrollHeight;
      expected.current = top.current = element.scrollTop;
    }
    paint(element, terms);
  });

  const onScroll = () => {
    const element = box.current;
    if (!element) return;
    if (!tail.buffer.frozen && element.scrollTop < expected.current - 2) tail.freeze();
    top.current = element.scrollTop;
    if (tail.buffer.frozen && !wrap) setTop(element.scrollTop);
  };

  useLayoutEffect(() => {
    const element = box.current;
    if (!element || selected === null || wrap) return;
    const top = (selected - 1 - tail.buffer.shown.first) * ROW_PX;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW_PX > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + ROW_PX - element.clientHeight;
    }
  }, [selected, tail, wrap]);

  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    pressed.current = { x: event.clientX, y: event.clientY, frozen: tail.buffer.frozen };
    tail.freeze();
  };
  const onPointerUp = (event: PointerEvent) => {
    const began = pressed.current;
    pressed.current = null;
    if (!began || Math.hypot(event.clientX - began.x, event.clientY - began.y) > CLICK_PX) return;
    if (document.getSelection()?.isCollapsed === false) return;
    const row = Number(
      event.target instanceof Element && event.target.closest<HTMLElement>("[data-row]")?.dataset.row,
    );
    // The click that stops the rows only stops them; the next one opens.
    if (row) (began.frozen ? onOpen : onSelect)(row);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (["ArrowUp", "PageUp", "Home"].includes(event.key)) tail.freeze();
  };

  const rows = [];
  for (let i = from; i < to && !measured; i += 1) {
    const item = shown.at(i);
    const number = shown.first + i + 1;
    if (item)
      rows.push(
        <TailRow
          key={number + shift}
          item={item}
          number={number}
          selected={number === selected}
          zone={zone}
          wrap={wrap}
          list={id}
        />,
      );
  }
  const chosen = selected === null ? undefined : shown.at(selected - 1 - shown.first);
  return (
    <div
      ref={box}
      role="grid"
      aria-label={name}
      aria-rowcount={shown.first + shown.length}
      aria-readonly="true"
      aria-activedescendant={chosen && !isMark(chosen) ? `${id}${selected}` : undefined}
      tabIndex={0}
      onScroll={onScroll}
      onPointerDown={onPointerDown}
      onPointerUp={onPointerUp}
      onKeyDown={onKeyDown}
      className="h-full bg-panel overflow-x-hidden overflow-y-auto overscroll-contain [overflow-anchor:none] -outline-offset-2"
    >
      {measured ? (
        <MeasuredRows tail={tail} box={box} terms={terms} selected={selected} zone={zone} list={id} />
      ) : wrap ? (
        // What is above is not there: it is only ever seen at its end.
        <div className="flex min-h-full flex-col justify-end">{rows}</div>
      ) : (
        <div className="relative" style={{ height: shown.length * ROW_PX }}>
          <div className="absolute inset-x-0 top-0" style={{ transform: `translateY(${from * ROW_PX}px)` }}>
            {rows}
          </div>
        </div>
      )}
    </div>
  );
}
