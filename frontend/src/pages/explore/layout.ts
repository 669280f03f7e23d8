/** Sizes the header and the rows share. Widths are in characters of the log's font. */
import type { ExploreSearch } from "@/app/search";

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

export const TIME_CLASS = "shrink-0 tabular-nums text-mute";
export const timeWidth = (withDate: boolean): string => (withDate ? "w-[24ch]" : "w-[13ch]");
export const LEVEL_CLASS = "w-[6ch] shrink-0";
export const SERVICE_CLASS = "w-[15ch] shrink-0 truncate";
export const COLUMN_CLASS = "w-[18ch] shrink-0 truncate";
