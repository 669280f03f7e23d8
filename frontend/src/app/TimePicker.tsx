/** One time range for all pages: presets, free text, the last five used, shift and zoom. */
import { type FormEvent, useRef, useState } from "react";
import { useShortcuts } from "@/app/keys";
import { useShared } from "@/app/useShared";
import { PRESETS, parseRange, rangeLabel, shifted, type TimeRange, zoomed } from "@/lib/time";
import { Icon } from "@/ui/icons";
import { Popover } from "@/ui/Popover";

const RECENT = "logstream.recentRanges";

function recentRanges(): TimeRange[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isRange).slice(0, 5) : [];
  } catch {
    return []; // somebody else's text under our key
  }
}

function isRange(value: unknown): value is TimeRange {
  return typeof value === "object" && value !== null && "from" in value && "to" in value;
}

function remember(range: TimeRange): void {
  const others = recentRanges().filter((one) => one.from !== range.from || one.to !== range.to);
  localStorage.setItem(RECENT, JSON.stringify([range, ...others].slice(0, 5)));
}

export function TimePicker() {
  const { range, setRange } = useShared();
  const open = useRef<(() => void) | null>(null);
  const choose = (next: TimeRange) => {
    remember(next);
    setRange(next);
  };
  useShortcuts([
    { keys: "d", what: "Choose the time range", group: "Time", run: () => open.current?.() },
    {
      keys: "[",
      what: "Earlier by one window",
      group: "Time",
      run: () => setRange(shifted(range, -1, Date.now())),
    },
    {
      keys: "]",
      what: "Later by one window",
      group: "Time",
      run: () => setRange(shifted(range, 1, Date.now())),
    },
    { keys: "z", what: "Zoom out twice", group: "Time", run: () => setRange(zoomed(range, 2, Date.now())) },
  ]);
  return (
    <Popover
      label="Time range"
      openRef={open}
      button={
        <>
          <Icon name="clock" />
          <span className="tabular-nums">{rangeLabel(range)}</span>
          <Icon name="down" size={12} />
        </>
      }
    >
      {(close) => (
        <RangeForm
          range={range}
          onChoose={(next) => {
            choose(next);
            close();
          }}
        />
      )}
    </Popover>
  );
}

function RangeForm({ range, onChoose }: { range: TimeRange; onChoose: (range: TimeRange) => void }) {
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const parsed = parseRange(typed, Date.now());
    setWrong(parsed === null);
    if (parsed) onChoose(parsed);
  };
  return (
    <div className="w-80">
      <form onSubmit={submit}>
        <input
          data-autofocus
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          aria-label="Time range as text"
          aria-invalid={wrong}
          placeholder={`${range.from} to ${range.to}`}
          className="h-8 w-full rounded-md border border-line bg-page px-2 font-mono text-[12px]"
        />
        <p className={`mt-1 mb-2 text-[11px] ${wrong ? "text-error" : "text-mute"}`}>
          {wrong
            ? "Not a time: try 15m, yesterday, or a pasted timestamp"
            : "15m · yesterday · a pasted timestamp or epoch · A to B"}
        </p>
      </form>
      <div className="grid grid-cols-2 gap-x-2">
        {PRESETS.map((preset) => (
          <RangeButton
            key={preset.from}
            on={range.from === preset.from && range.to === "now"}
            label={`Last ${preset.label}`}
            onClick={() => onChoose({ from: preset.from, to: "now" })}
          />
        ))}
      </div>
      {recentRanges().length > 0 ? <p className="mt-2 mb-1 text-[11px] text-mute">Used before</p> : null}
      {recentRanges().map((one) => (
        <RangeButton
          key={one.from + one.to}
          on={false}
          label={rangeLabel(one)}
          onClick={() => onChoose(one)}
        />
      ))}
    </div>
  );
}

function RangeButton({ on, label, onClick }: { on: boolean; label: string; onClick: () => void }) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={onClick}
      className="block w-full rounded px-2 py-1 text-left hover:bg-raised aria-pressed:bg-selected"
    >
      {label}
    </button>
  );
}
