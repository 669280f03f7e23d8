// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus and names its active row
/** The columns' names; added ones can be moved and taken away. */
import { fieldLabel } from "@/lib/fieldNames";
import { COLUMN_CLASS, LEVEL_CLASS, SERVICE_CLASS, timeWidth } from "@/pages/explore/layout";
import type { RowLook } from "@/pages/explore/RecordRow";
import { ToolButton } from "@/ui/ToolButton";

interface ListHeaderProps {
  readonly look: RowLook;
  readonly onColumns: (columns: readonly string[]) => void;
}

export function ListHeader({ look, onColumns }: ListHeaderProps) {
  const { columns, withDate, zone } = look;
  return (
    <div
      role="row"
      aria-rowindex={1}
      className="sticky top-0 z-10 flex h-6 items-center gap-x-3 border-b border-line bg-panel pr-3 pl-2 font-mono text-[12px] text-mute"
    >
      <span className="-ml-2 w-3.5 shrink-0" />
      <Name className={`${timeWidth(withDate)} shrink-0`}>
        Time<span className="ml-1 truncate">{zone === "local" ? "local" : zone}</span>
      </Name>
      <Name className={LEVEL_CLASS}>Level</Name>
      <Name className={SERVICE_CLASS}>Service</Name>
      {columns.map((name, i) => (
        <Name key={name} className={`${COLUMN_CLASS} group`}>
          <bdi className="mr-auto truncate text-ink" title={name}>
            {fieldLabel(name)}
          </bdi>
          <span className="flex opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
            {i > 0 ? (
              <ToolButton
                icon="left"
                label={`Move ${name} to the left`}
                onClick={() => onColumns(swapped(columns, i))}
              />
            ) : null}
            <ToolButton
              icon="close"
              label={`Remove the column ${name}`}
              onClick={() => onColumns(columns.filter((one) => one !== name))}
            />
          </span>
        </Name>
      ))}
      <Name className="min-w-0 flex-1">Message</Name>
      {columns.length > 0 ? (
        <button type="button" className="font-sans text-[11px] hover:text-ink" onClick={() => onColumns([])}>
          Reset columns
        </button>
      ) : null}
    </div>
  );
}

function Name({ className, children }: { className: string; children: React.ReactNode }) {
  return (
    <span role="columnheader" className={className}>
      <span className="flex min-w-0 items-center font-sans text-[11px]">{children}</span>
    </span>
  );
}

function swapped(columns: readonly string[], at: number): readonly string[] {
  const next = [...columns];
  const [moved] = next.splice(at, 1);
  if (moved !== undefined) next.splice(at - 1, 0, moved);
  return next;
}
