/** The drawer's box: its width is pulled with the pointer or moved with the arrow keys. */
import { type ReactNode, useState } from "react";
import { DRAWER_PX } from "@/app/search";

const KEY = "logstream.drawerWidth";
const { least: LEAST, most: MOST } = DRAWER_PX;
const within = (size: number): number => Math.round(Math.min(MOST, Math.max(LEAST, size)));
const kept = (): number => within(Number(localStorage.getItem(KEY)) || 520);

interface DrawerFrameProps {
  readonly label: string;
  /** As the URL has it; absent: as it was last. */
  readonly width: number | undefined;
  /** After a pull, not during it. */
  readonly onWidth: (width: number) => void;
  readonly children: ReactNode;
}

export function DrawerFrame({ label, width: given, onWidth, children }: DrawerFrameProps) {
  const [pulled, setPulled] = useState<number | null>(null);
  const width = pulled ?? given ?? kept();
  const settle = (size: number) => {
    setPulled(null);
    localStorage.setItem(KEY, String(size));
    onWidth(size);
  };
  return (
    <aside
      aria-label={label}
      style={{ width }}
      className="relative flex max-w-[70%] min-w-0 shrink-0 flex-col border-l border-line bg-panel max-md:absolute max-md:inset-y-0 max-md:right-0 max-md:z-30 max-md:max-w-[92%] max-md:shadow-xl"
    >
      {/* a splitter, not a rule between texts */}
      <div
        role="separator"
        aria-orientation="vertical"
        aria-label="Width of the record's panel"
        aria-valuenow={width}
        aria-valuemin={LEAST}
        aria-valuemax={MOST}
        tabIndex={0}
        className="absolute inset-y-0 -left-1 z-10 w-2 cursor-col-resize touch-none hover:bg-accent/30"
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => {
          if (event.buttons !== 1) return;
          const right = event.currentTarget.parentElement?.getBoundingClientRect().right ?? innerWidth;
          setPulled(within(right - event.clientX));
        }}
        onPointerUp={() => {
          if (pulled !== null) settle(pulled);
        }}
        onKeyDown={(event) => {
          const step = event.key === "ArrowLeft" ? 24 : event.key === "ArrowRight" ? -24 : 0;
          if (step === 0) return;
          event.preventDefault();
          settle(within(width + step));
        }}
      />
      {children}
    </aside>
  );
}
