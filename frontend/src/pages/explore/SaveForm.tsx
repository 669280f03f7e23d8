/** Keeps what is shown under a name: a whole view, or its filter alone as a signal. */
import { type FormEvent, useState } from "react";
import type { ExploreSearch } from "@/app/search";
import { preferredZone } from "@/lib/preferred";
import { DEFAULT_RANGE, rangeLabel } from "@/lib/time";
import { filterInForce, viewSearch } from "@/lib/viewState";
import { type SavedView, useKeeper } from "@/lib/views";

interface SaveFormProps {
  readonly search: ExploreSearch;
  readonly onSaved: (view: SavedView) => void;
  readonly onCancel: () => void;
}

const FIELD = "h-7 w-full rounded-md border border-line bg-page px-2";

export function SaveForm({ search, onSaved, onCancel }: SaveFormProps) {
  const keeper = useKeeper();
  const [kind, setKind] = useState<SavedView["kind"]>("view");
  const [mine, setMine] = useState(true);
  const [name, setName] = useState("");
  const [group, setGroup] = useState("");
  const range = { from: search.from ?? DEFAULT_RANGE.from, to: search.to ?? DEFAULT_RANGE.to };
  // A window that has passed is rarely what one wants again.
  const [withRange, setWithRange] = useState(range.from.startsWith("now"));
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const filter = filterInForce(search);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const content =
        kind === "view"
          ? { group: "", search: viewSearch(search, withRange), query: "" }
          : { group: group.trim(), search: "", query: filter };
      onSaved(await keeper.add({ kind, name: name.trim(), ...content }, mine));
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="flex w-72 flex-col gap-2 p-1 text-[12px]">
      <label className="flex flex-col gap-0.5">
        <span className="text-mute">Name</span>
        <input
          data-autofocus
          // biome-ignore lint/a11y/noAutofocus: the form is opened to be typed into
          autoFocus
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
          className={FIELD}
        />
      </label>
      <Choices
        legend="What"
        value={kind}
        onChange={setKind}
        options={[
          ["view", "View", "query, filters, columns, layout"],
          ["signal", "Signal", "the filter alone, one click to add"],
        ]}
      />
      {kind === "view" ? (
        <label className="flex items-baseline gap-2 py-0.5 leading-5">
          <input
            type="checkbox"
            checked={withRange}
            onChange={(event) => setWithRange(event.target.checked)}
            className={CHECK}
          />
          With the time range: {rangeLabel(range, search.tz ?? preferredZone())}
        </label>
      ) : (
        <>
          <p className="max-h-16 overflow-auto font-mono break-words text-mute">
            {filter || "Nothing is filtered: there is nothing to keep"}
          </p>
          <label className="flex flex-col gap-0.5">
            <span className="text-mute">Group, if any: of its signals one is enough</span>
            <input
              maxLength={100}
              value={group}
              onChange={(event) => setGroup(event.target.value)}
              className={FIELD}
            />
          </label>
        </>
      )}
      <Choices
        legend="For whom"
        value={mine ? "mine" : "shared"}
        onChange={(chosen) => setMine(chosen === "mine")}
        options={[
          ["mine", "Private", "in this browser alone"],
          ["shared", "Shared", "on the server: everybody sees and may change it"],
        ]}
      />
      {wrong ? (
        <p role="alert" className="text-error">
          {wrong}
        </p>
      ) : null}
      <div className="flex justify-end gap-2">
        <button type="button" onClick={onCancel} className="h-7 rounded-md px-2 text-mute hover:text-ink">
          Cancel
        </button>
        <button
          type="submit"
          disabled={busy || (kind === "signal" && !filter)}
          className="h-7 rounded-md bg-accent px-3 font-medium text-accent-ink disabled:opacity-50"
        >
          Save
        </button>
      </div>
    </form>
  );
}

const CHECK = "relative top-0.5 h-3.5 w-3.5 shrink-0 accent-(--accent)";

interface ChoicesProps<T extends string> {
  readonly legend: string;
  readonly value: T;
  readonly onChange: (value: T) => void;
  readonly options: readonly (readonly [value: T, label: string, what: string])[];
}

function Choices<T extends string>({ legend, value, onChange, options }: ChoicesProps<T>) {
  return (
    <fieldset className="flex flex-col">
      <legend className="mb-0.5 text-mute">{legend}</legend>
      {options.map(([each, label, what]) => (
        <label key={each} className="flex items-baseline gap-2 py-0.5 leading-5">
          <input
            type="radio"
            name={legend}
            checked={value === each}
            onChange={() => onChange(each)}
            className={CHECK}
          />
          <span>
            {label}
            <span className="text-mute">: {what}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
