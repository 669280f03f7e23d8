/** Addresses that mean this search: the export's, and the page's own with its time fixed. */
import { inList } from "@/lib/fieldNames";
import type { ExportFormat } from "@/pages/explore/exportSize";
import type { Run } from "@/pages/explore/useResults";

const SHOWN = ["timestamp", "level", "service"];

/** The list's columns in their order; those added stand before the message. */
export const exportColumns = (added: readonly string[]): readonly string[] => [...SHOWN, ...added, "message"];

/** The file of all that matches; no columns: the whole record. */
export function exportUrl(run: Run, format: ExportFormat, columns: readonly string[]): string {
  const url = new URL("api/v1/export", document.baseURI);
  url.search = new URLSearchParams({
    query: run.query,
    from: run.from,
    to: run.to,
    format,
    ...(columns.length > 0 ? { columns: columns.map(inList).join(",") } : {}),
  }).toString();
  return url.href;
}

/**
 * This page's address, with the range of the run or with the range as it was asked for. `href` is
 * the router's: the address bar may hold a short link.
 */
export function pageLink(href: string, run: Run, kind: "relative" | "absolute"): string {
  const url = new URL(href, location.origin);
  if (kind === "absolute") {
    url.searchParams.set("from", run.from);
    url.searchParams.set("to", run.to);
  }
  return url.href;
}
