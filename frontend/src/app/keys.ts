/**
 * The keyboard map: one list that the handler, the `?` sheet and the palette all read. Keys do
 * nothing while somebody types, and single keys can be switched off as a whole (WCAG 2.1.4).
 */
import { useEffect, useRef } from "react";

export interface Shortcut {
  /** `j`, `Shift+Y`, `Mod+Enter`, or a sequence: `g e`. */
  readonly keys: string;
  readonly what: string;
  readonly group: "Go to" | "Search" | "Rows" | "Time" | "View" | "Live tail";
  readonly run: () => void;
}

const registered = new Map<symbol, readonly Shortcut[]>();
const leaving = new Set<symbol>();
const SETTING = "logstream.singleKeys";
const SEQUENCE_MS = 1_200;

/** Every shortcut of what is on the screen now. */
export const currentShortcuts = (): readonly Shortcut[] =>
  [...registered].flatMap(([key, shortcuts]) => (leaving.has(key) ? [] : shortcuts));

export const singleKeysOn = (): boolean => localStorage.getItem(SETTING) !== "off";
export const setSingleKeys = (on: boolean): void => localStorage.setItem(SETTING, on ? "on" : "off");

/** These shortcuts work while the component is mounted; of two for the same keys, the inner one. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const id = useRef(Symbol("shortcuts"));
  const newest = useRef(shortcuts);
  newest.current = shortcuts;
  // While rendering, because outer components render first; their effects come last.
  registered.set(id.current, shortcuts);
  useEffect(() => {
    const key = id.current;
    leaving.delete(key);
    if (!registered.has(key)) registered.set(key, newest.current);
    return () => {
      leaving.add(key);
      // React's strict mode unmounts and mounts again at once: what stays must keep its place.
      queueMicrotask(() => {
        if (leaving.delete(key)) registered.delete(key);
      });
    };
  }, []);
}

let pending = { key: "", at: 0 };

/** Called once by the shell. */
export function listenForKeys(): () => void {
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const pressed = nameOf(event);
  const single = !pressed.startsWith("Mod+") && pressed !== "Escape";
  if (single && (isTyping(event.target) || !singleKeysOn())) return;
  if (activates(pressed, event.target)) return;
  const sequence = event.timeStamp - pending.at < SEQUENCE_MS ? `${pending.key} ${pressed}` : "";
  const all = currentShortcuts();
  const found = all.findLast((one) => one.keys === sequence) ?? all.findLast((one) => one.keys === pressed);
  // `g` goes to the first row and may still become `g o`.
  const goesOn = found?.keys === pressed && all.some((one) => one.keys.startsWith(`${pressed} `));
  pending = { key: found && !goesOn ? "" : pressed, at: event.timeStamp };
  if (!found) return;
  event.preventDefault();
  found.run();
}

function nameOf(event: KeyboardEvent): string {
  const mod = event.ctrlKey || event.metaKey ? "Mod+" : "";
  const shift = event.shiftKey && event.key.length === 1 && /[a-z]/i.test(event.key) ? "Shift+" : "";
  const key = event.key === " " ? "Space" : event.key;
  return mod + shift + (shift ? key.toUpperCase() : key);
}

/** Space and Enter on a button or a link belong to it. */
function activates(pressed: string, target: EventTarget | null): boolean {
  return (
    (pressed === "Space" || pressed === "Enter") &&
    target instanceof Element &&
    target.closest("a[href], button, summary, [role=button], [role=option], [role=tab]") !== null
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
