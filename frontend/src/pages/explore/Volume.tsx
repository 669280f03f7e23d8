/** The volume over the whole range, and what can be done with a part of it that was dragged over. */
import { LevelHistogram } from "@/charts/LevelHistogram";
import type { TimeRange, Zone } from "@/lib/time";
import type { useVolume } from "@/pages/explore/useResults";
import { MenuItem } from "@/ui/MenuItem";
import { Failure } from "@/ui/Panel";

interface VolumeProps {
  readonly volume: ReturnType<typeof useVolume>;
  readonly zone: Zone;
  /** Stays marked. */
  readonly part: TimeRange | null;
  /** The query itself is wrong, which is said elsewhere. */
  readonly broken: boolean;
  readonly onZoom: (range: TimeRange) => void;
  readonly onPart: (part: TimeRange) => void;
  readonly onCompare: (part: TimeRange) => void;
}

export function Volume({ volume, zone, part, broken, onZoom, onPart, onCompare }: VolumeProps) {
  const { data, answer } = volume;
  if (!data) {
    if (!answer.isError) return <div className="h-[108px]" />;
    return broken ? null : (
      <div className="px-3">
        <Failure query={answer} />
      </div>
    );
  }
  const menu = (range: TimeRange, close: () => void) => {
    const item = (label: string, hint: string, act: (range: TimeRange) => void) => (
      <MenuItem
        hint={hint}
        onClick={() => {
          close();
          act(range);
        }}
      >
        {label}
      </MenuItem>
    );
    return (
      <>
        {item("Zoom", "into this time", onZoom)}
        {item("Show events", "of this time only", onPart)}
        {item("Compare", "with the rest", onCompare)}
      </>
    );
  };
  return (
    <div className={answer.isFetching ? "opacity-60 transition-opacity" : "transition-opacity"}>
      <LevelHistogram
        answer={data}
        zone={zone}
        onRange={(from, to) => onZoom({ from, to })}
        brushMenu={menu}
        marked={part}
        height={88}
      />
    </div>
  );
}
