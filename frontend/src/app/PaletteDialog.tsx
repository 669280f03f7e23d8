/** What the palette offers, filtered as one types. */
import { type KeyboardEvent, useId, useState } from "react";
import { type Command, commandsOf, found as foundAmong, offered, RECENT_GROUP } from "@/app/commands";
import type { Shortcut } from "@/app/keys";
import type { Offer } from "@/app/offers";
import type { ExploreSearch, SharedSearch } from "@/app/search";
import { recentQueries } from "@/lib/recent";
import { loadedSearch } from "@/lib/viewState";
import { type SavedView, useViews } from "@/lib/views";
import { Dialog } from "@/ui/Dialog";
import { Icon } from "@/ui/icons";
import { Keys } from "@/ui/Keys";

interface PaletteDialogProps {
  shortcuts: readonly Shortcut[];
  offers: readonly Offer[];
  onSearch: (query: string) => void;
  /** Explore as the function makes it of what the address has now. */
  onView: (search: (old: SharedSearch) => ExploreSearch) => void;
  onClose: () => void;
}

export function PaletteDialog({ shortcuts, offers, onSearch, onView, onClose }: PaletteDialogProps) {
  const [{ own, of }] = useState(() => ({
    own: commandsOf(shortcuts, recentQueries(), onSearch),
    of: offered(offers),
  }));
  const views = useViews()
    .filter((view) => view.kind === "view")
    .map((view) => viewCommand(view, onView));
  return (
    <Dialog label="Command palette" onClose={onClose} className="mt-[12vh] w-[min(600px,calc(100vw-32px))]">
      <Picker
        commands={[...own, ...views, ...of.shown]}
        others={of.typed}
        onPick={(command) => {
          onClose();
          // After the dialog has given focus back, so that the command may move it.
          setTimeout(command.run);
        }}
        onClose={onClose}
      />
    </Dialog>
  );
}

const viewCommand = (view: SavedView, onView: PaletteDialogProps["onView"]): Command => ({
  id: `view ${view.id}`,
  what: view.name,
  group: "Saved views",
  run: () => onView((old) => loadedSearch(old, view.search, view.id)),
});

interface PickerProps {
  commands: readonly Command[];
  /** Shown only when they are typed for. */
  others: readonly Command[];
  onPick: (command: Command) => void;
  onClose: () => void;
}

function Picker({ commands, others, onPick: run, onClose }: PickerProps) {
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const found = foundAmong(commands, others, typed);
  const onPick = (command: Command) => {
    if (command.fill === undefined) return run(command);
    setTyped(command.fill);
    setChosen(0);
  };
  const at = Math.min(chosen, found.length - 1);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChosen((at + step + found.length) % Math.max(found.length, 1));
    else if (event.key === "Enter" && found[at]) onPick(found[at]);
    else if (event.key === "k" && (event.ctrlKey || event.metaKey)) onClose();
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div className="flex items-center gap-2 border-b border-line px-3 text-mute">
        <Icon name="explore" />
        <input
          // biome-ignore lint/a11y/noAutofocus: the palette is opened to be typed into
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}list`}
          aria-activedescendant={found[at] ? `${id}${at}` : undefined}
          aria-label="Find a page, a saved view, an action or a recent search"
          placeholder="Find a page, a saved view, an action or a recent search"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setChosen(0);
          }}
          onKeyDown={onKeyDown}
          className="h-11 w-full bg-transparent text-[14px] text-ink outline-none placeholder:text-mute"
        />
      </div>
      <div id={`${id}list`} role="listbox" aria-label="Commands" className="max-h-[50vh] overflow-auto p-1.5">
        {found.map((command, i) => (
          <Option
            key={command.id}
            id={`${id}${i}`}
            command={command}
            on={i === at}
            onPick={() => onPick(command)}
          />
        ))}
      </div>
      {found.length === 0 ? (
        <p className="px-4 pb-4 text-mute" role="status">
          Nothing here is called that
        </p>
      ) : null}
    </>
  );
}

interface OptionProps {
  id: string;
  command: Command;
  on: boolean;
  onPick: () => void;
}

function Option({ id, command, on, onPick }: OptionProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's
    <div
      id={id}
      ref={(element) => {
        if (on) element?.scrollIntoView({ block: "nearest" });
      }}
      role="option"
      tabIndex={-1}
      aria-selected={on}
      onClick={onPick}
      className="flex cursor-pointer items-center gap-2 rounded-md px-2 py-1.5 hover:bg-raised aria-selected:bg-selected"
    >
      <span className={`min-w-0 truncate ${command.group === RECENT_GROUP ? "font-mono text-[12px]" : ""}`}>
        {command.what}
      </span>
      <span className="mr-auto shrink-0 text-[11px] text-mute">{command.group}</span>
      {command.keys ? <Keys keys={command.keys} /> : null}
    </div>
  );
}
