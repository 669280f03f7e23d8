/** Says that the rows are those of a part of the range, and how to see all again. */
import { showTimestamp, type TimeRange, type Zone } from "@/lib/time";

interface PartNoteProps {
  readonly part: TimeRange;
  readonly zone: Zone;
  readonly onZoom: (range: TimeRange) => void;
  readonly onAll: () => void;
}

export function PartNote({ part, zone, onZoom, onAll }: PartNoteProps) {
  const time = (text: string) => showTimestamp(text, zone, { date: false, digits: 0 });
  const button = "shrink-0 text-accent hover:underline";
  return (
    <p className="flex min-w-0 items-center gap-3 border-b border-line bg-accent/10 px-3 py-1 text-[12px] tabular-nums">
      <span className="truncate">
        Only rows of {time(part.from)} – {time(part.to)}
      </span>
      <button type="button" className={button} onClick={() => onZoom(part)}>
        Zoom in
      </button>
      <button type="button" className={button} onClick={onAll}>
        Whole range (Esc)
      </button>
    </p>
  );
}
