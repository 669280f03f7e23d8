/** Saved views: load one, save what is shown, choose which one Explore opens with. */
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { defaultView, setDefaultView } from "@/lib/defaultView";
import { hasRange, isModified, replacedBy, viewSearch } from "@/lib/viewState";
import { isMine, type SavedView, useKeeper, useSharedViews, useViews } from "@/lib/views";
import { SaveForm } from "@/pages/explore/SaveForm";
import type { Explore } from "@/pages/explore/useExplore";
import { MenuItem, MenuTitle } from "@/ui/MenuItem";
import { Failure } from "@/ui/Panel";
import { ToolButton } from "@/ui/ToolButton";

interface ViewsMenuProps {
  readonly explore: Explore;
  readonly close: () => void;
  readonly onSaid: (text: string) => void;
}

export function ViewsMenu({ explore, close, onSaid }: ViewsMenuProps) {
  const { search, change } = explore;
  const views = useViews().filter((view) => view.kind === "view");
  const shared = useSharedViews();
  const keeper = useKeeper();
  const [saving, setSaving] = useState(false);
  const [wrong, setWrong] = useState("");
  const [first, setFirst] = useState(() => defaultView()?.id);
  const loaded = views.find((view) => view.id === search.view);
  const load = (view: SavedView) => {
    change(replacedBy(search, view));
    close();
  };
  const save = async (view: SavedView) => {
    try {
      await keeper.change({ ...view, search: viewSearch(search, hasRange(view.search)) });
      onSaid("Saved");
      close();
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    }
  };
  const list = (mine: boolean) =>
    views
      .filter((view) => isMine(view) === mine)
      .map((view) => (
        <div key={view.id} className="flex items-center gap-1">
          <div className="min-w-0 flex-1 [&_span]:truncate">
            <MenuItem on={view.id === search.view} onClick={() => load(view)}>
              <bdi>{view.name}</bdi>
            </MenuItem>
          </div>
          <ToolButton
            icon={first === view.id ? "starred" : "star"}
            pressed={first === view.id}
            label={
              first === view.id
                ? `Explore opens with ${view.name}: stop that`
                : `Open Explore with ${view.name}`
            }
            onClick={() => {
              const next = first === view.id ? null : view;
              setDefaultView(next);
              setFirst(next?.id);
            }}
          />
        </div>
      ));
  if (saving) {
    return (
      <SaveForm
        search={search}
        onSaved={(view) => {
          if (view.kind === "view") change({ view: view.id }, "replace");
          onSaid("Saved");
          close();
        }}
        onCancel={() => setSaving(false)}
      />
    );
  }
  const [mine, everybodys] = [list(true), list(false)];
  return (
    <div className="w-72">
      {loaded && isModified(search, loaded.search) ? (
        <>
          <MenuItem onClick={() => void save(loaded)}>Save changes to {loaded.name}</MenuItem>
          <MenuItem onClick={() => load(loaded)}>Back to {loaded.name} as it was saved</MenuItem>
        </>
      ) : null}
      <MenuItem onClick={() => setSaving(true)}>Save as…</MenuItem>
      {wrong ? (
        <p role="alert" className="px-2 py-1 text-[12px] text-error">
          {wrong}
        </p>
      ) : null}
      <div className="max-h-[50vh] overflow-y-auto">
        <MenuTitle>Private: in this browser alone</MenuTitle>
        {mine.length > 0 ? mine : <None />}
        <MenuTitle>Shared: on the server, for everybody here</MenuTitle>
        {shared.isError ? (
          <div className="px-2">
            <Failure query={shared} />
          </div>
        ) : everybodys.length > 0 ? (
          everybodys
        ) : (
          <None />
        )}
      </div>
      <Link
        to="/settings"
        className="mt-1 block rounded border-t border-line px-2 pt-1.5 pb-1 text-[12px] text-mute hover:text-ink"
      >
        Rename and delete in the settings
      </Link>
    </div>
  );
}

const None = () => <p className="px-2 py-1 text-[12px] text-mute">None yet</p>;
