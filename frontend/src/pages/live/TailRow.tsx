// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus and names its selected row
/** One line of the tail: a record, looking as it does in Explore, or a mark between records. */
import { memo } from "react";
import { LEVEL_TEXT, levelLabel } from "@/lib/levels";
import { showTimestamp, type Zone } from "@/lib/time";
import {
  GUTTER_CLASS,
  LEVEL_BAR,
  LEVEL_CLASS,
  LINE_CLASS,
  SERVICE_CLASS,
  TIME_CLASS,
  timeWidth,
} from "@/pages/explore/layout";
import { logText } from "@/ui/LogText";
import { isMark } from "./buffer";
import type { Item } from "./tail";

export const ROW_PX = 24;
/** More does not fit in a line of the widest screen. */
const LINE_CHARS = 600;

interface TailRowProps {
  readonly item: Item;
  /** Among all rows that were shown, from 1. */
  readonly number: number;
  readonly selected: boolean;
  readonly zone: Zone;
  /** Begins the ids of this list's rows. */
  readonly list: string;
  /** The whole message, on as many lines as it takes. */
  readonly wrap: boolean;
}

export const TailRow = memo(function TailRow({ item, number, selected, zone, list, wrap }: TailRowProps) {
  if (isMark(item)) {
    return (
      <div
        role="row"
        aria-rowindex={number}
        className="flex h-6 items-center gap-3 px-3 text-[11px] text-mute"
      >
        <span aria-hidden="true" className="h-px flex-1 bg-line" />
        <span role="gridcell">{item.mark}</span>
        <span aria-hidden="true" className="h-px flex-1 bg-line" />
      </div>
    );
  }
  return (
    <div
      role="row"
      id={`${list}${number}`}
      aria-rowindex={number}
      aria-selected={selected}
      data-row={number}
      className={`flex min-h-6 cursor-default items-start gap-x-3 pr-3 pl-2 font-mono text-[12px] hover:bg-raised aria-selected:bg-selected ${wrap ? "py-[3px] leading-[18px]" : "leading-6"}`}
    >
      <span aria-hidden="true" className={`${GUTTER_CLASS} ${LEVEL_BAR[item.level] ?? "bg-line"}`} />
      <span role="gridcell" className={`${TIME_CLASS} ${timeWidth(false)}`}>
        {showTimestamp(item.timestamp, zone, { date: false, digits: 3 })}
      </span>
      <span role="gridcell" className={`${LEVEL_CLASS} ${LEVEL_TEXT[item.level] ?? "text-mute"}`}>
        {levelLabel(item.level)}
      </span>
      <span role="gridcell" className={`${SERVICE_CLASS} text-mute max-sm:hidden`}>
        {logText(item.service)}
      </span>
      <span
        role="gridcell"
        className={`min-w-0 flex-1 ${wrap ? "break-words whitespace-pre-wrap" : LINE_CLASS}`}
      >
        {logText(wrap ? item.message : oneLine(item.message))}
      </span>
    </div>
  );
});

const oneLine = (message: string): string => message.slice(0, LINE_CHARS).replace(/\s*\r?\n\s*/g, " ↵ ");
