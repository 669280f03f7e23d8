/** What is chosen for all tails of the page at once; behind one button where there is no room. */
import type { LiveSearch } from "@/app/search";
import { Icon } from "@/ui/icons";
import { Popover } from "@/ui/Popover";
import { Highlights } from "./Highlights";

const BACKFILLS = [0, 100, 500, 1_000] as const;
const TOOL =
  "flex h-7 shrink-0 items-center gap-1.5 rounded-md border border-line bg-panel px-2.5 text-[12px] whitespace-nowrap hover:bg-raised aria-pressed:bg-selected";

export interface LiveToolsProps {
  readonly search: LiveSearch;
  readonly terms: readonly string[];
  readonly wrap: boolean;
  readonly split: boolean;
  readonly onTerms: (terms: readonly string[]) => void;
  readonly onBack: (back: LiveSearch["back"]) => void;
  readonly onWrap: () => void;
  readonly onClear: () => void;
  readonly onExplore: () => void;
  readonly onSplit: () => void;
}

export function LiveTools(props: LiveToolsProps) {
  return (
    <>
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-2 max-md:hidden">
        <Choices {...props} />
      </div>
      <div className="ml-auto md:hidden">
        <Popover
          label="More"
          buttonClass="grid h-7 w-7 place-content-center rounded-md border border-line bg-panel hover:bg-raised"
          button={<Icon name="more" size={14} />}
        >
          {() => (
            <div className="flex w-60 flex-wrap gap-2">
              <Choices {...props} />
            </div>
          )}
        </Popover>
      </div>
    </>
  );
}

function Choices(props: LiveToolsProps) {
  const { search, terms, wrap, split } = props;
  return (
    <>
      <Highlights terms={terms} onChange={props.onTerms} />
      <label className="flex items-center gap-1.5 text-[12px] whitespace-nowrap text-mute md:ml-auto">
        Begin with
        <select
          value={search.back ?? 100}
          onChange={(event) => props.onBack(backOf(event.target.value))}
          className="h-7 rounded-md border border-line bg-panel px-1 text-ink"
        >
          {BACKFILLS.map((count) => (
            <option key={count} value={count}>
              {count === 0 ? "none before" : `the last ${count}`}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        aria-pressed={wrap}
        title="Wrap long lines (w)"
        onClick={props.onWrap}
        className={TOOL}
      >
        <Icon name="wrap" size={14} />
        Wrap
      </button>
      <button type="button" title="Clear the rows (Shift+X)" onClick={props.onClear} className={TOOL}>
        Clear
      </button>
      <button
        type="button"
        title="These rows' time range in Explore (Shift+E)"
        onClick={props.onExplore}
        className={TOOL}
      >
        Open in Explore
      </button>
      <button
        type="button"
        aria-pressed={split}
        title={split ? "Back to one tail (\\)" : "A second tail beside this one (\\)"}
        onClick={props.onSplit}
        className={TOOL}
      >
        <Icon name="columns" size={14} />
        Split
      </button>
    </>
  );
}

function backOf(value: string): LiveSearch["back"] {
  const count = Number(value);
  return count === 0 || count === 500 || count === 1_000 ? count : undefined;
}
