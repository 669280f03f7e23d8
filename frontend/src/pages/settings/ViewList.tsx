/** Saved views and signals: open, rename, delete. */
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { loadedSearch } from "@/lib/viewState";
import { isMine, type SavedView, useKeeper, useMyViews, useSharedViews } from "@/lib/views";
import { Failure, Panel } from "@/ui/Panel";

export function ViewList() {
  const mine = useMyViews();
  const shared = useSharedViews();
  return (
    <Panel title="Saved views and signals">
      <Part title="Private" what="in this browser alone" views={mine} />
      {shared.isError ? (
        <>
          <Heading title="Shared" what="on the server, for everybody here" />
          <Failure query={shared} />
        </>
      ) : (
        <Part title="Shared" what="on the server, for everybody here" views={shared.data} />
      )}
    </Panel>
  );
}

const Heading = ({ title, what }: { title: string; what: string }) => (
  <h3 className="pt-2 pb-1 text-[12px]">
    {title} <span className="text-mute">{what}</span>
  </h3>
);

function Part({
  title,
  what,
  views,
}: {
  title: string;
  what: string;
  views: readonly SavedView[] | undefined;
}) {
  return (
    <>
      <Heading title={title} what={what} />
      {views && views.length === 0 ? (
        <p className="pb-1 text-[12px] text-mute">None: save one in Explore, under Views</p>
      ) : null}
      <ul aria-label={`${title} views and signals`} className="divide-y divide-line/60">
        {(views ?? []).map((view) => (
          <Item key={view.id} view={view} />
        ))}
      </ul>
    </>
  );
}

function Item({ view }: { view: SavedView }) {
  const keeper = useKeeper();
  const [doing, setDoing] = useState<"" | "rename" | "delete">("");
  const [wrong, setWrong] = useState("");
  const tried = async (what: Promise<unknown>) => {
    setWrong("");
    try {
      await what;
      setDoing("");
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <li className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1 py-1">
      {doing === "rename" ? (
        <Rename view={view} onName={(name) => void tried(keeper.change({ ...view, name }))} />
      ) : (
        <>
          {view.kind === "view" ? (
            <Link
              to="/explore"
              search={(old) => loadedSearch(old, view.search, view.id)}
              className="min-w-0 truncate text-accent hover:underline"
            >
              <bdi>{view.name}</bdi>
            </Link>
          ) : (
            <span className="min-w-0 truncate">
              <bdi>{view.name}</bdi>
            </span>
          )}
          <bdi className="min-w-0 flex-1 truncate font-mono text-[12px] text-mute max-sm:hidden">
            {view.kind === "signal"
              ? `signal${view.group ? ` in ${view.group}` : ""}: ${view.query}`
              : readable(view.search)}
          </bdi>
        </>
      )}
      <span className="ml-auto flex items-center gap-1">
        {doing === "delete" ? (
          <>
            <span className="text-[12px]">Delete {isMine(view) ? "it" : "it for everybody"}?</span>
            <Small label="Delete" of={view} danger onClick={() => void tried(keeper.remove(view))} />
            <Small label="Keep" of={view} onClick={() => setDoing("")} />
          </>
        ) : (
          <>
            <Small
              label={doing === "rename" ? "Cancel" : "Rename"}
              of={view}
              onClick={() => setDoing(doing === "rename" ? "" : "rename")}
            />
            <Small label="Delete…" of={view} onClick={() => setDoing("delete")} />
          </>
        )}
      </span>
      {wrong ? (
        <p role="alert" className="w-full text-[12px] text-error">
          {wrong}
        </p>
      ) : null}
    </li>
  );
}

function Rename({ view, onName }: { view: SavedView; onName: (name: string) => void }) {
  const [name, setName] = useState(view.name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onName(name.trim());
  };
  return (
    <form onSubmit={submit} className="flex min-w-0 flex-1 gap-2">
      <input
        // biome-ignore lint/a11y/noAutofocus: it is opened to be typed into
        autoFocus
        required
        maxLength={100}
        aria-label={`New name of ${view.name}`}
        value={name}
        onChange={(event) => setName(event.target.value)}
        className="h-7 min-w-0 flex-1 rounded-md border border-line bg-page px-2"
      />
      <button type="submit" className="h-7 rounded-md bg-accent px-3 text-[12px] font-medium text-accent-ink">
        Save
      </button>
    </form>
  );
}

interface SmallProps {
  readonly label: string;
  readonly of: SavedView;
  readonly danger?: boolean;
  readonly onClick: () => void;
}

function Small({ label, of, danger, onClick }: SmallProps) {
  return (
    <button
      type="button"
      aria-label={`${label.replace("…", "")} ${of.name}`}
      onClick={onClick}
      className={`h-6 rounded-md border border-line px-2 text-[12px] hover:bg-raised ${danger ? "text-error" : "text-mute hover:text-ink"}`}
    >
      {label}
    </button>
  );
}

/** What a view's address says, as far as people can read it. */
function readable(search: string): string {
  try {
    return decodeURIComponent(search.replaceAll("+", " ")).replaceAll("&", "  ") || "everything";
  } catch {
    return search;
  }
}
