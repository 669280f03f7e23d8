// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus and names its active row
/** The columns' names; they can be made wider, added ones can be dragged about and taken away. */
import { type DragEvent, useState } from "react";
import { fieldLabel } from "@/lib/fieldNames";
import {
  COLUMN_CLASS,
  LEVEL_CLASS,
  moved,
  timeWidth,
  type Widths,
  widthOf,
  withWidth,
} from "@/pages/explore/layout";
import type { RowLook } from "@/pages/explore/RecordRow";
import { later } from "@/ui/later";
import { ToolButton } from "@/ui/ToolButton";

const ColumnEdge = later(() => import("@/pages/explore/ColumnEdge").then((module) => module.ColumnEdge));

interface ListHeaderProps {
  readonly look: RowLook;
  readonly onColumns: (columns: readonly string[]) => void;
  readonly onWidths: (widths: Widths) => void;
}

export function ListHeader({ look, onColumns, onWidths }: ListHeaderProps) {
  const { columns, withDate, zone, digits, widths } = look;
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const drop = (before: string | null) => {
    if (dragged !== null) onColumns(moved(columns, dragged, before));
    setDragged(null);
    setOver(null);
  };
  const target = (name: string | null) => ({
    onDragOver: (event: DragEvent) => {
      if (dragged === null) return;
      event.preventDefault();
      setOver(name);
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      drop(name);
    },
  });
  const edge = (name: string) => (
    <ColumnEdge
      name={name}
      width={widthOf(widths, name)}
      onWidth={(width) => onWidths(withWidth(widths, name, width))}
    />
  );
  const mark = (name: string | null) =>
    dragged !== null && over === name ? "shadow-[inset_2px_0_0_var(--accent)]" : "";
  return (
    <div
      role="row"
      aria-rowindex={1}
      className="sticky top-0 z-10 flex h-6 items-center gap-x-3 border-b border-line bg-panel pr-3 pl-2 font-mono text-[12px] text-mute"
    >
      <span className="-ml-2 w-3.5 shrink-0" />
      <Name className={`${timeWidth(withDate, digits)} shrink-0`}>
        Time<span className="ml-1 truncate">{zone === "local" ? "local" : zone}</span>
      </Name>
      <Name className={LEVEL_CLASS}>Level</Name>
      <span
        role="columnheader"
        className="relative shrink-0"
        style={{ width: `${widthOf(widths, "service")}ch` }}
      >
        <span className="flex items-center font-sans text-[11px]">Service</span>
        {edge("service")}
      </span>
      {columns.map((name, i) => (
        <span
          key={name}
          role="columnheader"
          draggable
          onDragStart={(event) => {
            event.dataTransfer.effectAllowed = "move";
            setDragged(name);
          }}
          onDragEnd={() => setDragged(null)}
          {...target(name)}
          style={{ width: `${widthOf(widths, name)}ch` }}
          className={`group relative cursor-grab ${COLUMN_CLASS} overflow-visible ${mark(name)} ${dragged === name ? "opacity-50" : ""}`}
        >
          <span className="flex min-w-0 items-center font-sans text-[11px]">
            <bdi className="mr-auto truncate text-ink" title={`${name} · drag to move`}>
              {fieldLabel(name)}
            </bdi>
            <span className="flex opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
              {i > 0 ? (
                <ToolButton
                  icon="left"
                  label={`Move ${name} to the left`}
                  onClick={() => onColumns(moved(columns, name, columns[i - 1] ?? null))}
                />
              ) : null}
              <ToolButton
                icon="close"
                label={`Remove the column ${name}`}
                onClick={() => onColumns(columns.filter((one) => one !== name))}
              />
            </span>
          </span>
          {edge(name)}
        </span>
      ))}
      <span role="columnheader" className={`min-w-0 flex-1 ${mark(null)}`} {...target(null)}>
        <span className="flex items-center font-sans text-[11px]">Message</span>
      </span>
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
