/** Choosing a time range: presets, free text, the last five used. */
import { type FormEvent, useEffect, useRef, useState } from "react";
import { PRESETS, rangeLabel, type TimeRange, type Zone, zoneName } from "@/lib/time";
import { parseRange } from "@/lib/typedRange";

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

interface RangeFormProps {
  range: TimeRange;
  zone: Zone;
  onChoose: (range: TimeRange) => void;
}

export function RangeForm({ range, zone, onChoose }: RangeFormProps) {
  const [typed, setTyped] = useState("");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const choose = (next: TimeRange) => {
    remember(next);
    onChoose(next);
  };
  const [wrong, setWrong] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const parsed = parseRange(typed, Date.now(), zone);
    setWrong(parsed === null);
    if (parsed) choose(parsed);
  };
  return (
    <div className="w-80">
      <form onSubmit={submit}>
        <input
          ref={input}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          aria-label="Time range as text"
          aria-invalid={wrong}
          placeholder={`${range.from} to ${range.to}`}
          className="h-8 w-full rounded-md border border-line bg-page px-2 font-mono text-[12px]"
        />
        <p className={`mt-1 mb-2 text-[11px] ${wrong ? "text-error" : "text-mute"}`}>
          {wrong
            ? "Not a time: try 15m, yesterday 9-11, or a pasted timestamp"
            : `15m · yesterday 9-11 · a pasted timestamp or epoch · A to B, in ${zoneName(zone)}`}
        </p>
      </form>
      <div className="grid grid-cols-2 gap-x-2">
        {PRESETS.map((preset) => (
          <RangeButton
            key={preset.from}
            on={range.from === preset.from && range.to === "now"}
            label={`Last ${preset.label}`}
            onClick={() => choose({ from: preset.from, to: "now" })}
          />
        ))}
      </div>
      {recentRanges().length > 0 ? <p className="mt-2 mb-1 text-[11px] text-mute">Used before</p> : null}
      {recentRanges().map((one) => (
        <RangeButton
          key={one.from + one.to}
          on={false}
          label={rangeLabel(one, zone)}
          onClick={() => choose(one)}
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
