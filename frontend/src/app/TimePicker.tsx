/** One time range for all pages: presets, free text, the last five used, shift and zoom. */
import { useRef } from "react";
import { useShortcuts } from "@/app/keys";
import { useShared } from "@/app/useShared";
import { rangeLabel, shifted, zoomed } from "@/lib/time";
import { Icon, type IconName } from "@/ui/icons";
import { later as loadedLater } from "@/ui/later";
import { Popover } from "@/ui/Popover";

const RangeForm = loadedLater(() => import("@/app/RangeForm").then((module) => module.RangeForm));

export function TimePicker() {
  const { range, zone, setRange } = useShared();
  const open = useRef<(() => void) | null>(null);
  const earlier = () => setRange(shifted(range, -1, Date.now()));
  const later = () => setRange(shifted(range, 1, Date.now()));
  const wider = () => setRange(zoomed(range, 2, Date.now()));
  useShortcuts([
    { keys: "d", what: "Choose the time range", group: "Time", run: () => open.current?.() },
    { keys: "[", what: "Earlier by one window", group: "Time", run: earlier },
    { keys: "]", what: "Later by one window", group: "Time", run: later },
    { keys: "z", what: "Zoom out twice", group: "Time", run: wider },
  ]);
  return (
    <div className="flex min-w-0 items-center">
      <Step
        icon="left"
        label="Earlier by one window ([)"
        className="rounded-l-md border-r-0"
        onClick={earlier}
      />
      <Popover
        label={`Time range: ${rangeLabel(range, zone)}`}
        openRef={open}
        buttonClass="flex h-8 max-w-full min-w-0 items-center gap-1.5 border border-line bg-panel px-2.5 max-md:rounded-md hover:bg-raised"
        button={
          <>
            <span className="max-sm:hidden">
              <Icon name="clock" />
            </span>
            <span className="truncate tabular-nums">{rangeLabel(range, zone)}</span>
            <Icon name="down" size={12} />
          </>
        }
      >
        {(close) => (
          <RangeForm
            range={range}
            zone={zone}
            onChoose={(next) => {
              setRange(next);
              close();
            }}
          />
        )}
      </Popover>
      <Step icon="right" label="Later by one window (])" className="border-l-0" onClick={later} />
      <Step icon="wider" label="Zoom out twice (z)" className="rounded-r-md border-l-0" onClick={wider} />
    </div>
  );
}

interface StepProps {
  icon: IconName;
  label: string;
  className: string;
  onClick: () => void;
}

function Step({ icon, label, className, onClick }: StepProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onClick}
      className={`grid h-8 w-7 shrink-0 place-content-center border border-line text-mute hover:bg-raised hover:text-ink max-md:hidden ${className}`}
    >
      <Icon name={icon} size={14} />
    </button>
  );
}
