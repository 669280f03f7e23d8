/** A record in the drawer's lists (context, trace): it can be opened, its text selected. */
import type { LogRecord } from "@/api/client";
import { LEVEL_TEXT, levelLabel } from "@/lib/levels";
import { showTimestamp, type Zone } from "@/lib/time";
import { LEVEL_BAR } from "@/pages/explore/layout";
import { LogText } from "@/ui/LogText";

interface NeighbourRowProps {
  readonly record: LogRecord;
  readonly zone: Zone;
  /** The record that the list is about. */
  readonly anchor: boolean;
  /** What stands before the message: an offset in time, for a trace. */
  readonly lead?: string;
  readonly withService?: boolean;
}

/** Listens to nothing: the list around it opens what has `data-at`. */
export function NeighbourRow({
  record,
  zone,
  anchor,
  lead,
  withService,
  at,
}: NeighbourRowProps & { at: number }) {
  return (
    <li
      data-at={at}
      aria-current={anchor ? "true" : undefined}
      className={`flex gap-2 border-l-[3px] py-0.5 pr-3 pl-2 font-mono text-[12px] ${anchor ? "border-accent bg-selected" : "border-transparent hover:bg-raised"}`}
    >
      <span
        aria-hidden="true"
        className={`my-0.5 w-[3px] shrink-0 rounded-full ${LEVEL_BAR[record.level] ?? "bg-line"}`}
      />
      <button
        type="button"
        data-open=""
        className={`shrink-0 self-start text-right text-mute tabular-nums hover:text-accent hover:underline ${lead ? "w-[10ch]" : ""}`}
      >
        {lead ?? showTimestamp(record.timestamp, zone, { date: false, digits: 3 })}
      </button>
      <span className={`w-[5ch] shrink-0 ${LEVEL_TEXT[record.level] ?? "text-mute"}`}>
        {levelLabel(record.level)}
      </span>
      {withService ? (
        <span className="w-[12ch] shrink-0 truncate text-mute">
          <LogText text={record.service} />
        </span>
      ) : null}
      <span className="min-w-0 flex-1 break-words whitespace-pre-wrap">
        <LogText text={record.message.slice(0, 600)} />
        {record.message.length > 600 ? <span className="text-mute"> …</span> : null}
      </span>
    </li>
  );
}

/** The record whose opening button was clicked. */
export function openedAt(target: EventTarget): number {
  if (!(target instanceof Element) || !target.closest("[data-open]")) return -1;
  return Number(target.closest<HTMLElement>("[data-at]")?.dataset.at ?? -1);
}
