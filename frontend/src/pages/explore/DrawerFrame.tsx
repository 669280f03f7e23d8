/** The drawer's box: its width is pulled with the pointer or moved with the arrow keys, and kept. */
import { type ReactNode, useState } from "react";

const KEY = "logstream.drawerWidth";
const [LEAST, MOST] = [320, 1_200];
const kept = (): number => Math.min(MOST, Math.max(LEAST, Number(localStorage.getItem(KEY)) || 520));

export function DrawerFrame({ label, children }: { label: string; children: ReactNode }) {
  const [width, setWidth] = useState(kept);
  const resize = (next: number) => {
    const size = Math.round(Math.min(MOST, Math.max(LEAST, next)));
    setWidth(size);
    localStorage.setItem(KEY, String(size));
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
          resize(right - event.clientX);
        }}
        onKeyDown={(event) => {
          const step = event.key === "ArrowLeft" ? 24 : event.key === "ArrowRight" ? -24 : 0;
          if (step === 0) return;
          event.preventDefault();
          resize(width + step);
        }}
      />
      {children}
    </aside>
  );
}
