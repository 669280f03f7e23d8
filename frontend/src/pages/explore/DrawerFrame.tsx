/** The drawer's box: its width is pulled with the pointer or moved with the arrow keys. */
import { type ReactNode, useState } from "react";
import { DRAWER_PX } from "@/app/search";
import { Splitter } from "@/ui/Splitter";

const KEY = "logstream.drawerWidth";
const USUAL_PX = 520;

function kept(): number {
  const width = Number(localStorage.getItem(KEY));
  return width >= DRAWER_PX.least && width <= DRAWER_PX.most ? width : USUAL_PX;
}

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
      <Splitter
        label={`Width of the ${label.toLowerCase()}'s panel`}
        value={width}
        limits={DRAWER_PX}
        usual={USUAL_PX}
        step={-24}
        valueAt={(x, panel) => panel.right - x}
        className="absolute inset-y-0 -left-1 z-10 w-2 hover:bg-accent/30"
        onPull={setPulled}
        onSettle={settle}
      />
      {children}
    </aside>
  );
}
