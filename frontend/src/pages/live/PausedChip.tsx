/** Says that the list stands still and what came since; a click goes on at the end. */
import { whole } from "@/lib/format";
import { Icon } from "@/ui/icons";
import { perSecond as rateText } from "./rate";
import type { Tail } from "./tail";
import { useSummary } from "./useTail";

interface PausedChipProps {
  readonly tail: Tail;
  /** A record is open over the right of the list, where there is little room. */
  readonly aside: boolean;
}

export function PausedChip({ tail, aside }: PausedChipProps) {
  const { frozen, waiting, perSecond } = useSummary(tail);
  if (!frozen) return null;
  return (
    <button
      type="button"
      onClick={tail.resume}
      title="Resume at the end (Space)"
      className={`absolute bottom-4 left-1/2 z-10 flex h-8 -translate-x-1/2 items-center gap-2 whitespace-nowrap rounded-full border border-line bg-accent px-3.5 font-medium text-accent-ink tabular-nums shadow-lg shadow-black/25 hover:brightness-110 ${aside ? "@max-3xl:left-4 @max-3xl:translate-x-0" : ""}`}
    >
      <Icon name="pause" size={13} />
      Paused · {whole(waiting)} new · {rateText(perSecond)}
      <Icon name="down" size={13} />
    </button>
  );
}
