/** Shortcuts by group, and the switch for single keys. */
import { useState } from "react";
import { type Shortcut, setSingleKeys, singleKeysOn } from "@/app/keys";
import { Dialog } from "@/ui/Dialog";
import { Icon } from "@/ui/icons";
import { Keys } from "@/ui/Keys";

const GROUPS: readonly Shortcut["group"][] = ["Go to", "Search", "Time", "View", "Rows", "Live tail"];

interface KeySheetDialogProps {
  shortcuts: readonly Shortcut[];
  onClose: () => void;
}

export function KeySheetDialog({ shortcuts, onClose }: KeySheetDialogProps) {
  return (
    <Dialog label="Keyboard shortcuts" onClose={onClose} className="w-[min(760px,calc(100vw-32px))]">
      <header className="flex items-center justify-between border-b border-line px-4 py-2.5">
        <h2 className="text-[14px] font-semibold">Keyboard shortcuts</h2>
        <form method="dialog">
          <button
            type="submit"
            aria-label="Close"
            className="grid h-7 w-7 place-content-center rounded-md text-mute hover:bg-raised hover:text-ink"
          >
            <Icon name="close" />
          </button>
        </form>
      </header>
      <div className="max-h-[65vh] gap-x-8 overflow-auto px-4 pt-3 pb-2 sm:columns-2">
        {grouped(shortcuts).map(([group, shortcuts]) => (
          <section key={group} aria-label={group} className="mb-4 break-inside-avoid">
            <h3 className="mb-1 text-[11px] font-medium text-mute">{group}</h3>
            <ul>
              {shortcuts.map((one) => (
                <li key={one.keys} className="flex items-center justify-between gap-4 py-0.5">
                  {one.what}
                  <Keys keys={one.keys} />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
      <SingleKeys />
    </Dialog>
  );
}

/** In the groups' order; of two for the same keys the one that works now: the last. */
function grouped(shortcuts: readonly Shortcut[]): readonly (readonly [string, readonly Shortcut[]])[] {
  const working = [...new Map(shortcuts.map((one) => [one.keys, one])).values()];
  return GROUPS.map((group) => [group, working.filter((one) => one.group === group)] as const).filter(
    ([, found]) => found.length > 0,
  );
}

function SingleKeys() {
  const [on, setOn] = useState(singleKeysOn);
  return (
    <label className="flex items-center gap-2 border-t border-line px-4 py-2.5">
      <input
        type="checkbox"
        checked={on}
        className="h-4 w-4 accent-(--accent)"
        onChange={(event) => {
          setSingleKeys(event.target.checked);
          setOn(event.target.checked);
        }}
      />
      Single keys work
      <span className="text-mute">
        Off: only shortcuts with {/Mac/.test(navigator.userAgent) ? "⌘" : "Ctrl"} do
      </span>
    </label>
  );
}
