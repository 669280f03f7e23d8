/** Sizes the header and the rows share. Widths are in characters of the log's font. */
import { COLUMN_CH, type ExploreSearch } from "@/app/search";

export const ROW_PX: Readonly<Record<string, number>> = { compact: 20, normal: 24, roomy: 28 };

export const rowHeight = (rows: ExploreSearch["rows"]): number => ROW_PX[rows ?? "normal"] ?? 24;

export const LEVEL_BAR: Readonly<Record<string, string>> = {
  fatal: "bg-(--fill-fatal)",
  error: "bg-(--fill-error)",
  warn: "bg-(--fill-warn)",
  info: "bg-(--fill-info)",
  debug: "bg-(--fill-debug)",
  trace: "bg-(--fill-trace)",
};

// min-w-0: else the browser measures each text to find how narrow the cell may become.
export const TIME_CLASS = "min-w-0 shrink-0 tabular-nums text-mute";
const TIME_WIDTHS: Readonly<Record<number, readonly [time: string, withDate: string]>> = {
  3: ["w-[13ch]", "w-[24ch]"],
  6: ["w-[16ch]", "w-[27ch]"],
  9: ["w-[19ch]", "w-[30ch]"],
};
export const timeWidth = (withDate: boolean, digits = 3): string =>
  TIME_WIDTHS[digits]?.[withDate ? 1 : 0] ?? "w-[30ch]";
export const LEVEL_CLASS = "w-[6ch] min-w-0 shrink-0";
// Clipped, not hidden: what is hidden could be scrolled, and for that each cell would be a layer.
export const LINE_CLASS = "overflow-clip text-ellipsis whitespace-pre";
export const COLUMN_CLASS = `min-w-0 shrink-0 ${LINE_CLASS}`;
export const SERVICE_CLASS = `w-[15ch] ${COLUMN_CLASS}`;
/** A bar in the level's colour, 3 px of it: the rest of the gutter is only there to be clicked. */
export const GUTTER_CLASS = "-ml-2 w-3.5 shrink-0 self-stretch bg-clip-content py-px pr-[9px] pl-0.5";

export type Widths = NonNullable<ExploreSearch["widths"]>;

const FIRST_CH: Readonly<Record<string, number>> = { service: 15 };

/** Characters of a column's width. */
export const widthOf = (widths: Widths | undefined, name: string): number =>
  widths?.[name] ?? FIRST_CH[name] ?? 18;

export const withWidth = (widths: Widths | undefined, name: string, width: number): Widths => {
  const { [name]: _, ...others } = widths ?? {};
  const size = Math.round(Math.min(COLUMN_CH.most, Math.max(COLUMN_CH.least, width)));
  return size === (FIRST_CH[name] ?? 18) ? others : { ...others, [name]: size };
};

/** What the columns before the message take, in characters. */
export const columnsWidth = (columns: readonly string[], widths: Widths | undefined): number =>
  ["service", ...columns].reduce((sum, name) => sum + widthOf(widths, name) + 2, 0);

/** The names with one of them taken out and put in before another, or at the end. */
export function moved(names: readonly string[], name: string, before: string | null): readonly string[] {
  if (name === before || !names.includes(name)) return names;
  const others = names.filter((one) => one !== name);
  const at = before === null ? -1 : others.indexOf(before);
  return at < 0 ? [...others, name] : [...others.slice(0, at), name, ...others.slice(at)];
}
