/** Signals as chips: a click switches one on or off. Between groups AND, within a group OR. */
import { type Signal, sameSignal, toggledSignal } from "@/lib/signals";
import { useViews } from "@/lib/views";
import { type Chip, grouped } from "@/pages/explore/signalChips";

interface SignalBarProps {
  readonly on: readonly Signal[];
  /** The first rows come first. */
  readonly ready: boolean;
  readonly onChange: (signals: readonly Signal[]) => void;
}

export function SignalBar({ on, ready, onChange }: SignalBarProps) {
  const views = useViews(ready);
  const groups = grouped(views, on);
  if (groups.length === 0) return null;
  const chip = ({ signal, mine }: Chip) => {
    const pressed = on.some((one) => sameSignal(one, signal));
    return (
      <button
        key={`${signal.n} ${signal.q}`}
        type="button"
        aria-pressed={pressed}
        title={`${signal.q}${mine ? " · private" : ""}`}
        onClick={() => onChange(toggledSignal(on, signal))}
        className="h-5.5 max-w-60 shrink-0 truncate rounded-full border border-line px-2 text-[12px] text-mute hover:bg-raised hover:text-ink aria-pressed:border-accent aria-pressed:bg-selected aria-pressed:text-ink"
      >
        <bdi>{signal.n}</bdi>
      </button>
    );
  };
  return (
    <div role="group" aria-label="Signals" className="flex flex-wrap items-center gap-x-3 gap-y-1">
      {groups.map(({ name, chips }) =>
        name ? (
          <div
            key={`group ${name}`}
            role="group"
            aria-label={`${name}: any of`}
            className="flex flex-wrap items-center gap-1"
          >
            <bdi className="max-w-40 truncate text-[11px] text-mute">{name}</bdi>
            {chips.map(chip)}
          </div>
        ) : (
          chips.map(chip)
        ),
      )}
    </div>
  );
}
