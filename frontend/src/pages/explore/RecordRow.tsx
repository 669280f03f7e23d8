// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus and names its active row
/** One row. It listens to nothing: the list hears clicks and looks at `data-index` and `data-field`. */
import { memo, type ReactNode } from "react";
import type { LogRecord } from "@/api/client";
import type { ExploreSearch } from "@/app/search";
import { fieldValue } from "@/lib/fieldNames";
import { bytes, whole } from "@/lib/format";
import { LEVEL_TEXT, levelLabel } from "@/lib/levels";
import { foldedStack, realBreaks, stackInBrief, stackPieces } from "@/lib/stack";
import { showTimestamp, type Zone } from "@/lib/time";
import {
  COLUMN_CLASS,
  GUTTER_CLASS,
  LEVEL_BAR,
  LEVEL_CLASS,
  LINE_CLASS,
  TIME_CLASS,
  timeWidth,
  type Widths,
  widthOf,
} from "@/pages/explore/layout";
import { prettyMessage } from "@/pages/explore/pretty";
import { logText } from "@/ui/LogText";

export interface RowLook {
  readonly columns: readonly string[];
  readonly wrap: ExploreSearch["wrap"];
  readonly zone: Zone;
  readonly withDate: boolean;
  readonly height: number;
  /** Digits of a second's fraction. */
  readonly digits: number;
  /** Written-out line breaks are line breaks. */
  readonly realBreaks: boolean;
  readonly widths: Widths | undefined;
}

interface RecordRowProps {
  readonly record: LogRecord;
  readonly index: number;
  readonly count: number;
  readonly look: RowLook;
  readonly active: boolean;
  readonly open: boolean;
  readonly picked: boolean;
  /** The field the keyboard stands on, in the active row. */
  readonly cell: string | null;
}

/** On one line no more of a message is drawn than could be seen. */
const LINE = 600;

export const RecordRow = memo(function RecordRow(props: RecordRowProps) {
  const { record, index, count, look, active, open, picked, cell } = props;
  const { columns, wrap, zone, withDate, height, digits, widths } = look;
  const width = (name: string) => ({ width: `${widthOf(widths, name)}ch` });
  const mark = (field: string) => (cell === field ? " rounded-xs outline outline-accent" : "");
  return (
    <div
      role="row"
      id={`row-${index}`}
      aria-rowindex={index + 2}
      aria-selected={open || picked}
      data-index={index}
      style={wrap ? { minHeight: height } : { height }}
      className={`flex cursor-default gap-x-3 pr-3 pl-2 font-mono text-[12px] ${wrap ? "items-start py-0.5" : "items-center"} ${background(active, open, picked)}`}
    >
      <span
        aria-hidden="true"
        data-gutter=""
        title="Click to pick, Shift+click for many"
        className={`${GUTTER_CLASS} ${picked ? "bg-accent" : (LEVEL_BAR[record.level] ?? "bg-line")}`}
      />
      <span
        role="gridcell"
        data-field="timestamp"
        className={`${TIME_CLASS} ${timeWidth(withDate, digits)}${mark("timestamp")}`}
      >
        {showTimestamp(record.timestamp, zone, { date: withDate, digits })}
      </span>
      <span
        role="gridcell"
        data-field="level"
        className={`${LEVEL_CLASS} ${LEVEL_TEXT[record.level] ?? "text-mute"}${mark("level")}`}
      >
        {levelLabel(record.level)}
      </span>
      <span
        role="gridcell"
        data-field="service"
        style={width("service")}
        className={`${COLUMN_CLASS} text-mute${mark("service")}`}
      >
        {logText(record.service)}
      </span>
      {columns.map((name) => {
        const value = fieldValue(record, name);
        return (
          <span
            key={name}
            role="gridcell"
            data-field={name}
            style={width(name)}
            className={`${COLUMN_CLASS}${mark(name)}`}
          >
            {value === null ? <span className="text-mute opacity-50">—</span> : logText(value.slice(0, 300))}
          </span>
        );
      })}
      <span
        role="gridcell"
        data-field="message"
        className={`min-w-0 flex-1${mark("message")} ${wrap ? "" : LINE_CLASS}`}
      >
        {count > 1 ? (
          <span className="mr-2 rounded bg-raised px-1 text-[11px] text-accent tabular-nums">
            ×{whole(count)}
          </span>
        ) : null}
        {wrap ? (
          <Wrapped record={record} wrap={wrap} breaks={look.realBreaks} />
        ) : (
          line(record, look.realBreaks)
        )}
      </span>
    </div>
  );
});

function background(active: boolean, open: boolean, picked: boolean): string {
  if (open) return "bg-selected";
  if (picked) return "bg-accent/15";
  return active ? "bg-raised" : "hover:bg-raised";
}

function line(record: LogRecord, breaks: boolean): ReactNode {
  const message = breaks ? realBreaks(record.message) : record.message;
  const text = message.includes("\n") ? onOneLine(message) : message;
  if (!record.truncated) return logText(text.slice(0, LINE));
  return (
    <>
      <span className="mr-2 text-[11px] text-mute">[{bytes(record.message_bytes ?? 0)}]</span>
      {logText(text.slice(0, LINE))}
    </>
  );
}

function onOneLine(message: string): string {
  const stack = stackPieces(message);
  return stack ? stackInBrief(stack) : message.slice(0, LINE).replace(/\s*\r?\n\s*/g, " ↵ ");
}

interface WrappedProps {
  readonly record: LogRecord;
  readonly wrap: "wrap" | "json";
  readonly breaks: boolean;
}

function Wrapped({ record, wrap, breaks }: WrappedProps) {
  const message = breaks ? realBreaks(record.message) : record.message;
  const stack = message.includes("\n") ? stackPieces(message) : null;
  return (
    <>
      <span className="block max-h-[20lh] overflow-hidden break-words whitespace-pre-wrap">
        {stack
          ? foldedStack(stack).map((part, i) => (
              // parts of one text never move
              <span key={i} className={part.frames > 0 ? "block text-mute" : "block"}>
                {part.frames > 0 ? `    ⋯ ${part.frames} library frames` : logText(part.text)}
              </span>
            ))
          : logText(wrap === "json" ? prettyMessage(message) : message)}
      </span>
      {record.truncated ? (
        <span className="ml-2 rounded border border-line px-1 text-[11px] text-mute">
          {record.message_bytes ? `${bytes(record.message_bytes)} in full` : "cut"}
        </span>
      ) : null}
      {wrap === "json" ? (
        <span className="block max-h-[20lh] overflow-hidden break-words whitespace-pre-wrap text-mute">
          {logText(JSON.stringify(record.attributes, null, 2).slice(0, 4_000))}
        </span>
      ) : null}
    </>
  );
}
