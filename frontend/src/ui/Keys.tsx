/** A shortcut as keycaps: `Mod+k` is ⌘ K on a Mac and Ctrl K elsewhere, `g e` is one after the other. */
const MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);

const SIGNS: Readonly<Record<string, string>> = {
  Mod: MAC ? "⌘" : "Ctrl",
  Shift: "⇧",
  ArrowDown: "↓",
  ArrowUp: "↑",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
};

export function Keys({ keys }: { keys: string }) {
  const strokes = keys.split(" ").flatMap((stroke) => (stroke.length > 1 ? stroke.split("+") : [stroke]));
  return (
    <span className="flex shrink-0 gap-1">
      {strokes.map((key) => (
        <kbd
          key={key}
          className="min-w-5 rounded border border-line bg-raised px-1 text-center font-mono text-[11px] leading-[18px] text-mute"
        >
          {SIGNS[key] ?? key}
        </kbd>
      ))}
    </span>
  );
}
