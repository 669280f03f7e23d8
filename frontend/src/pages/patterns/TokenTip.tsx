/** Over a token: what it stands for. The same stands in the inspector, for those who do not point. */
import { type RefObject, useEffect, useState } from "react";
import type { Pattern } from "@/pages/patterns/patterns";
import { TokenValues } from "@/pages/patterns/TokenValues";

interface TokenTipProps {
  readonly within: RefObject<HTMLElement | null>;
  readonly patternAt: (index: number) => Pattern | undefined;
}

interface Shown {
  readonly pattern: Pattern;
  readonly token: number;
  readonly left: number;
  readonly top: number;
  readonly above: boolean;
}

const WIDTH = 340;
const ROOM = 260;

export function TokenTip({ within, patternAt }: TokenTipProps) {
  const [shown, setShown] = useState<Shown | null>(null);
  useEffect(() => {
    const box = within.current;
    if (!box) return;
    const onOver = (event: PointerEvent) => {
      const target = event.target instanceof Element ? event.target : null;
      const mark = target?.closest<HTMLElement>("[data-token]");
      const row = mark?.closest<HTMLElement>("[data-index]");
      const pattern = row ? patternAt(Number(row.dataset.index)) : undefined;
      if (!mark || !pattern) return setShown(null);
      const at = mark.getBoundingClientRect();
      setShown({
        pattern,
        token: Number(mark.dataset.token),
        left: Math.max(8, Math.min(at.left, innerWidth - WIDTH - 8)),
        top: at.bottom + ROOM < innerHeight ? at.bottom + 4 : at.top - 4,
        above: at.bottom + ROOM >= innerHeight,
      });
    };
    const hide = () => setShown(null);
    box.addEventListener("pointerover", onOver);
    box.addEventListener("pointerleave", hide);
    box.addEventListener("scroll", hide, true);
    document.addEventListener("keydown", hide);
    return () => {
      box.removeEventListener("pointerover", onOver);
      box.removeEventListener("pointerleave", hide);
      box.removeEventListener("scroll", hide, true);
      document.removeEventListener("keydown", hide);
    };
  }, [within, patternAt]);
  const token = shown?.pattern.tokens[shown.token];
  if (!shown || !token) return null;
  return (
    <div
      role="tooltip"
      className={`pointer-events-none fixed z-40 rounded-lg border border-line bg-panel px-3 py-2 shadow-xl shadow-black/30 ${shown.above ? "-translate-y-full" : ""}`}
      style={{ left: shown.left, top: shown.top, width: WIDTH }}
    >
      <TokenValues token={token} total={shown.pattern.sampled} most={6} />
    </div>
  );
}
