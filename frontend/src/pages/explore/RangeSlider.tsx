/** A range of a field's numbers: two handles between the least and the greatest that occur. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { answered, api, type Schema } from "@/api/client";
import { fieldLabel } from "@/lib/fieldNames";
import { splitPipes } from "@/lib/filters";
import { fieldName } from "@/lib/quote";
import { slideBounds } from "@/pages/explore/facetOrder";
import type { Run } from "@/pages/explore/useResults";

interface RangeSliderProps {
  readonly field: string;
  /** The search without this field's own filters. */
  readonly filter: string;
  readonly run: Run;
  readonly range: readonly [number, number] | null;
  readonly onRange: (range: readonly [number, number] | null) => void;
}

export function RangeSlider({ field, filter, run, range, onRange }: RangeSliderProps) {
  const bounds = useBounds(field, filter, run);
  const [held, setHeld] = useState<readonly [number, number] | null>(null);
  // what was let go is in force once it comes back
  useEffect(() => setHeld(null), [range]);
  if (!bounds.data || bounds.data.low >= bounds.data.high) return null;
  const { low, high, step } = bounds.data;
  const [from, to] = held ?? range ?? [low, high];
  const settle = () => {
    if (held) onRange(held[0] <= low && held[1] >= high ? null : held);
  };
  const at = (value: number) => `${((Math.min(high, Math.max(low, value)) - low) / (high - low)) * 100}%`;
  const handle = (which: 0 | 1) => (
    <input
      type="range"
      aria-label={`${which === 0 ? "Least" : "Greatest"} ${fieldLabel(field)}`}
      min={low}
      max={high}
      step={step}
      value={which === 0 ? from : to}
      onChange={(event) => {
        const value = Number(event.target.value);
        setHeld(which === 0 ? [Math.min(value, to), to] : [from, Math.max(value, from)]);
      }}
      onPointerUp={settle}
      onKeyUp={settle}
      className="pointer-events-none absolute inset-x-0 top-0 h-4 w-full appearance-none bg-transparent [&::-moz-range-thumb]:pointer-events-auto [&::-moz-range-thumb]:h-3 [&::-moz-range-thumb]:w-3 [&::-moz-range-thumb]:rounded-full [&::-moz-range-thumb]:border-2 [&::-moz-range-thumb]:border-accent [&::-moz-range-thumb]:bg-panel [&::-webkit-slider-thumb]:pointer-events-auto [&::-webkit-slider-thumb]:h-3 [&::-webkit-slider-thumb]:w-3 [&::-webkit-slider-thumb]:cursor-ew-resize [&::-webkit-slider-thumb]:appearance-none [&::-webkit-slider-thumb]:rounded-full [&::-webkit-slider-thumb]:border-2 [&::-webkit-slider-thumb]:border-accent [&::-webkit-slider-thumb]:bg-panel"
    />
  );
  return (
    <fieldset aria-label={`Range of ${fieldLabel(field)}`} className="px-6 pt-1 pb-1.5">
      <div className="relative h-4">
        <span className="absolute inset-x-0 top-[7px] h-0.5 rounded bg-line" />
        <span
          className="absolute top-[7px] h-0.5 rounded bg-accent"
          style={{ left: at(from), right: `calc(100% - ${at(to)})` }}
        />
        {handle(0)}
        {handle(1)}
      </div>
      <p className="flex justify-between font-mono text-[11px] text-mute tabular-nums">
        <span>{shown(from)}</span>
        {range ? (
          <button
            type="button"
            className="font-sans text-accent hover:underline"
            onClick={() => onRange(null)}
          >
            any
          </button>
        ) : null}
        <span>{shown(to)}</span>
      </p>
    </fieldset>
  );
}

const shown = (value: number): string => value.toLocaleString("en", { maximumSignificantDigits: 6 });

function useBounds(field: string, filter: string, run: Run) {
  const { from, to } = run;
  const name = fieldName(field);
  const [typed] = splitPipes(filter);
  const query = `${typed.trim() || "*"} | stats min(${name}) low, max(${name}) high`;
  return useQuery({
    queryKey: ["bounds", query, from, to],
    queryFn: async ({ signal }) => {
      const asked = { query: { query, from, to, limit: 1 } };
      const table = (await answered(
        api.GET("/api/v1/search", { params: asked, signal }),
      )) as Schema["TableAnswer"];
      const { low, high } = table.records[0] ?? {};
      return typeof low === "number" && typeof high === "number" ? slideBounds(low, high) : null;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}
