/** The filters that clicking made: each can be flipped, switched off, pinned, taken away. */

import { fieldLabel } from "@/lib/fieldNames";
import { afterClearing, type Pill, pillWords } from "@/lib/filters";
import { Icon } from "@/ui/icons";

interface PillsProps {
  readonly pills: readonly Pill[];
  readonly onChange: (pills: readonly Pill[]) => void;
}

export function Pills({ pills, onChange }: PillsProps) {
  if (pills.length === 0) return null;
  const change = (at: number, next: Pill | null) =>
    onChange(pills.flatMap((pill, i) => (i === at ? (next ? [next] : []) : [pill])));
  return (
    <ul aria-label="Filters" className="flex flex-wrap items-center gap-1.5">
      {pills.map((pill, i) => (
        <PillItem
          key={`${pill.field} ${pill.exclude ? "not" : "is"} ${pill.range ? "range" : ""}`}
          pill={pill}
          onChange={(next) => change(i, next)}
        />
      ))}
      {pills.length > 1 && afterClearing(pills).length < pills.length ? (
        <li>
          <button
            type="button"
            className="px-1 text-[12px] text-mute hover:text-ink"
            title="Pinned ones stay"
            onClick={() => onChange(afterClearing(pills))}
          >
            Clear all
          </button>
        </li>
      ) : null}
    </ul>
  );
}

function PillItem({ pill, onChange }: { pill: Pill; onChange: (pill: Pill | null) => void }) {
  const { field, exclude, off, pinned } = pill;
  const text = pillWords(pill);
  const colour = exclude ? "border-error/50 text-error" : "border-accent/50 text-accent";
  const name = `${fieldLabel(field)} ${exclude ? "is not" : "is"} ${text}`;
  const turned = (what: "exclude" | "off" | "pinned") => {
    const { [what]: was, ...rest } = pill;
    onChange(was ? rest : { ...rest, [what]: true });
  };
  return (
    <li
      className={`flex h-6 max-w-full items-center rounded-md border bg-panel text-[12px] ${off ? "border-dashed border-line opacity-60" : colour}`}
    >
      <button
        type="button"
        aria-label={`Flip the filter: ${name}`}
        title="Flip: is / is not"
        className="h-full rounded-l-md px-1.5 font-medium hover:bg-raised"
        onClick={() => turned("exclude")}
      >
        {exclude ? "not" : "is"}
      </button>
      <button
        type="button"
        aria-pressed={!off}
        aria-label={`Filter in force: ${name}`}
        title={off ? "Switch it on" : `${name} · click to switch it off`}
        className={`flex h-full min-w-0 items-center gap-1 px-1 text-ink hover:bg-raised ${off ? "line-through" : ""}`}
        onClick={() => turned("off")}
      >
        <bdi className="shrink-0 text-mute">{fieldLabel(field)}</bdi>
        <bdi className="max-w-80 truncate font-mono">{text}</bdi>
      </button>
      <button
        type="button"
        aria-pressed={Boolean(pinned)}
        aria-label={`Pin the filter: ${name}`}
        title={pinned ? "Pinned: stays when filters are cleared and in the next search" : "Pin"}
        className={`grid h-full place-content-center px-1 hover:bg-raised hover:text-ink ${pinned ? "text-accent" : "text-mute"}`}
        onClick={() => turned("pinned")}
      >
        <Icon name={pinned ? "pinned" : "pin"} size={11} />
      </button>
      <button
        type="button"
        aria-label={`Remove the filter: ${name}`}
        title="Remove"
        className="grid h-full place-content-center rounded-r-md px-1.5 text-mute hover:bg-raised hover:text-ink"
        onClick={() => onChange(null)}
      >
        <Icon name="close" size={10} />
      </button>
    </li>
  );
}
