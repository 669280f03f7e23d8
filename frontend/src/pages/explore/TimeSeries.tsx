/** A result over time as lines, with a legend that hides and shows them. */
import { useMemo, useState } from "react";
import { useShared } from "@/app/useShared";
import { intervalLabel } from "@/charts/histogram";
import { LineChart } from "@/charts/LineChart";
import { showTimestamp } from "@/lib/time";
import { type Line, MOST_LINES, type TimeLines } from "@/pages/explore/timeLines";

const HEIGHT_PX = 180;
/** So many are named to those who do not see them. */
const MOST_NAMED = 5;
const NONE: ReadonlySet<string> = new Set();

export function TimeSeries({ over }: { over: TimeLines }) {
  const { zone } = useShared();
  const [hidden, setHidden] = useState(NONE);
  const { title, lines, leftOut, first_ms, bin_ms, bins } = over;
  // What is counted and what is measured have no scale in common.
  const both = lines.some(({ counted }) => counted) && lines.some(({ counted }) => !counted);
  const shown = useMemo(
    () =>
      lines
        .filter(({ key }) => !hidden.has(key))
        .map((line) => ({ ...line, axis: both && line.counted ? ("right" as const) : ("left" as const) })),
    [lines, hidden, both],
  );
  const turn = (key: string) => {
    const next = new Set(hidden);
    if (!next.delete(key)) next.add(key);
    setHidden(next);
  };
  const time = (at_ms: number, date: boolean) =>
    showTimestamp(new Date(at_ms).toISOString(), zone, { date, digits: 0 });
  const names = lines.slice(0, MOST_NAMED).map(({ label }) => label);
  const more = lines.length > MOST_NAMED ? ` and ${lines.length - MOST_NAMED} more` : "";
  const summary =
    `${title} over time, ${lines.length === 1 ? "one line" : `${lines.length} lines`}: ` +
    `${names.join(", ")}${more}; ${time(first_ms, true)} to ${time(first_ms + bins * bin_ms, true)}`;
  return (
    <>
      <LineChart
        lines={shown}
        first_ms={first_ms}
        bin_ms={bin_ms}
        bins={bins}
        zone={zone}
        ariaLabel={summary}
        height={HEIGHT_PX}
        tooltip={(bin) => (
          <>
            <p className="mb-1 text-mute">
              {time(first_ms + bin * bin_ms, true)} – {time(first_ms + (bin + 1) * bin_ms, false)}
            </p>
            <TipRows lines={shown} bin={bin} />
          </>
        )}
      />
      <div className="flex flex-wrap items-center gap-x-1 text-[11px] text-mute">
        <ul aria-label="Lines" className="contents">
          {lines.map((line) => (
            <li key={line.key} className="min-w-0">
              <LegendButton
                line={line}
                side={both ? (line.counted ? "right" : "left") : null}
                on={!hidden.has(line.key)}
                onTurn={() => turn(line.key)}
              />
            </li>
          ))}
        </ul>
        <span className="ml-auto px-1">
          {leftOut > 0 ? `The ${MOST_LINES} largest of ${MOST_LINES + leftOut} · ` : ""}
          {intervalLabel(bin_ms / 1e3)} per point
        </span>
      </div>
    </>
  );
}

interface LegendProps {
  readonly line: Line;
  /** Its axis, where there are two. */
  readonly side: "left" | "right" | null;
  readonly on: boolean;
  readonly onTurn: () => void;
}

function LegendButton({ line, side, on, onTurn }: LegendProps) {
  return (
    <button
      type="button"
      aria-pressed={on}
      title={on ? "Hide this line" : "Show this line"}
      onClick={onTurn}
      className={`flex max-w-60 items-center gap-1 rounded px-1 hover:bg-raised hover:text-ink ${on ? "" : "opacity-45"}`}
    >
      <Swatch fill={line.fill} />
      <bdi className="truncate">{line.label}</bdi>
      {side ? <span className="opacity-70">{side}</span> : null}
    </button>
  );
}

const Swatch = ({ fill }: { fill: string }) => (
  <span
    aria-hidden="true"
    className="h-2 w-2 shrink-0 rounded-[2px]"
    style={{ background: `var(${fill})` }}
  />
);

/** The highest first, as they are seen. */
function TipRows({ lines, bin }: { lines: readonly Line[]; bin: number }) {
  const rows = lines
    .flatMap((line) => {
      const value = line.values[bin] ?? null;
      return value === null ? [] : [{ line, value }];
    })
    .sort((a, b) => b.value - a.value);
  if (rows.length === 0) return <p>Nothing here</p>;
  return rows.map(({ line, value }) => (
    <p key={line.key} className="flex max-w-72 items-center gap-1.5">
      <Swatch fill={line.fill} />
      <bdi className="mr-auto truncate pr-4">{line.label}</bdi>
      <span>{value.toLocaleString("en", { maximumFractionDigits: 3 })}</span>
    </p>
  ));
}
