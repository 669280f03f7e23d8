/** The small buttons over the value that is pointed at: one for the whole list, moved about. */
import { type RefObject, useEffect, useState } from "react";
import type { LogRecord } from "@/api/client";
import { toClipboard } from "@/lib/clipboard";
import { fieldLabel, fieldValue } from "@/lib/fieldNames";
import { age, showTimestamp } from "@/lib/time";
import type { ValueAct } from "@/pages/explore/useExplore";
import { ToolButton } from "@/ui/ToolButton";

interface CellToolsProps {
  /** What scrolls; the tools stand in its parent. */
  readonly scroller: RefObject<HTMLElement | null>;
  readonly recordAt: (index: number) => LogRecord | undefined;
  readonly act: ValueAct;
}

interface Target {
  readonly top: number;
  readonly left: number;
  readonly right: number;
  readonly narrow: boolean;
  readonly height: number;
  readonly field: string;
  readonly value: string;
  readonly record: LogRecord;
}

const LINGER_MS = 120;
const TOOLS_PX = 24;
const NARROW_PX = 180;

export function CellTools({ scroller, recordAt, act }: CellToolsProps) {
  const [target, setTarget] = useState<Target | null>(null);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let later: ReturnType<typeof setTimeout> | undefined;
    const over = (event: PointerEvent) => {
      if (event.buttons !== 0 || !(event.target instanceof Element)) return;
      const hovered = event.target;
      clearTimeout(later);
      // A pointer that only passes over the rows wants none of it.
      later = setTimeout(() => setTarget(targetOf(element, hovered, recordAt)), LINGER_MS);
    };
    const leave = (event: PointerEvent) => {
      clearTimeout(later);
      const to = event.relatedTarget;
      if (!(to instanceof Element && to.closest("[data-cell-tools]"))) setTarget(null);
    };
    const clear = () => {
      clearTimeout(later);
      setTarget(null);
    };
    element.addEventListener("pointerover", over);
    element.addEventListener("pointerleave", leave);
    element.addEventListener("scroll", clear, { passive: true });
    element.addEventListener("pointerdown", clear);
    return () => {
      clearTimeout(later);
      element.removeEventListener("pointerover", over);
      element.removeEventListener("pointerleave", leave);
      element.removeEventListener("scroll", clear);
      element.removeEventListener("pointerdown", clear);
    };
  }, [scroller, recordAt]);
  if (!target) return null;
  const { field, value, record } = target;
  // Over a short value there is no room beside it: the tools stand above, where they hide nothing of it.
  const place = target.narrow
    ? { top: Math.max(0, target.top - TOOLS_PX), left: target.left, height: TOOLS_PX }
    : { top: target.top, right: Math.max(0, target.right), height: Math.min(28, target.height) };
  if (field === "timestamp") return <TimeTip record={record} top={target.top + target.height} />;
  const whole = !(field === "message" && record.truncated);
  const what = fieldLabel(field);
  return (
    // leaving it with the pointer hides it; keys have + and -
    <div
      data-cell-tools=""
      style={place}
      className="absolute z-20 flex items-center rounded-md border border-line bg-panel px-0.5 shadow-md shadow-black/30"
      onPointerLeave={() => setTarget(null)}
    >
      {whole ? (
        <>
          <ToolButton
            icon="plus"
            label={`Only records with this ${what} (+)`}
            onClick={() => act("include", field, value)}
          />
          <ToolButton
            icon="minus"
            label={`No records with this ${what} (-)`}
            onClick={() => act("exclude", field, value)}
          />
          <ToolButton
            icon="filter"
            label={`This ${what} and no other filter of it`}
            onClick={() => act("only", field, value)}
          />
        </>
      ) : null}
      <ToolButton icon="copy" label={`Copy this ${what}`} onClick={() => void toClipboard(value)} />
    </div>
  );
}

function targetOf(
  scroller: HTMLElement,
  hovered: Element,
  recordAt: (index: number) => LogRecord | undefined,
): Target | null {
  const cell = hovered.closest<HTMLElement>("[data-field]");
  const row = hovered.closest<HTMLElement>("[data-index]");
  const record = row ? recordAt(Number(row.dataset.index)) : undefined;
  const field = cell?.dataset.field;
  if (!cell || !record || !field) return null;
  const value = fieldValue(record, field) ?? (field === "level" || field === "service" ? "" : null);
  if (value === null) return null;
  const box = cell.getBoundingClientRect();
  const frame = (scroller.offsetParent ?? scroller).getBoundingClientRect();
  return {
    top: box.top - frame.top,
    left: box.left - frame.left,
    right: frame.right - box.right,
    narrow: box.width < NARROW_PX,
    height: box.height,
    field,
    value,
    record,
  };
}

function TimeTip({ record, top }: { record: LogRecord; top: number }) {
  const { timestamp } = record;
  return (
    <div
      style={{ top: top + 2 }}
      className="pointer-events-none absolute left-6 z-20 rounded-md border border-line bg-raised px-2 py-1 font-mono text-[11px] tabular-nums shadow-md shadow-black/30"
    >
      <p>{timestamp.replace("T", " ").replace("Z", "")} UTC</p>
      <p className="text-mute">{showTimestamp(timestamp, "local", { date: true, digits: 9 })} local</p>
      <p className="text-mute">{age(timestamp, Date.now())}</p>
    </div>
  );
}
