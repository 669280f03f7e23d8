/** A number that changed comes in quietly from below, or from above when it fell. */
import { type RefObject, useEffect, useRef } from "react";
import { whenIdle } from "@/ui/later";

type Motion = typeof import("@/pages/overview/motion");

let loaded: Motion | null = null;

const reduced = matchMedia("(prefers-reduced-motion: reduce)");
const SECONDS = 0.22;
const PIXELS = 4;

/** Moves the element when the value that is shown in it does. */
export function useMove(element: RefObject<HTMLElement | null>, value: number | null, shown: string): void {
  const before = useRef({ value, shown });
  useEffect(() => {
    if (loaded || reduced.matches) return;
    void whenIdle(() => import("@/pages/overview/motion")).then(
      (motion) => {
        loaded = motion;
      },
      () => undefined, // numbers change all the same
    );
  }, []);
  useEffect(() => {
    const last = before.current;
    before.current = { value, shown };
    if (last.shown === shown || !element.current || !loaded || reduced.matches) return;
    const from = (value ?? 0) >= (last.value ?? 0) ? PIXELS : -PIXELS;
    const moving = loaded.animate(
      element.current,
      { opacity: [0.55, 1], transform: [`translateY(${from}px)`, "translateY(0px)"] },
      { duration: SECONDS, ease: "easeOut" },
    );
    return () => moving.complete();
  }, [element, value, shown]);
}
