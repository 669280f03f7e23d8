/** Addresses that mean this search: the export's, and the page's own with its time fixed. */
import type { Run } from "@/pages/explore/useResults";

const SHOWN = ["timestamp", "level", "service"];

export function exportUrl(
  run: Run,
  format: "ndjson" | "csv" | "parquet",
  columns: readonly string[],
): string {
  const url = new URL("api/v1/export", document.baseURI);
  url.search = new URLSearchParams({
    query: run.query,
    from: run.from,
    to: run.to,
    format,
    ...(columns.length > 0 ? { columns: [...SHOWN, ...columns, "message"].map(listed).join(",") } : {}),
  }).toString();
  return url.href;
}

/** A name that holds a comma is quoted in a list. */
const listed = (name: string): string => (name.includes(",") && !name.startsWith('"') ? `"${name}"` : name);

/** This page's address, with the range of the run or with the range as it was asked for. */
export function pageLink(run: Run, kind: "relative" | "absolute"): string {
  const url = new URL(location.href);
  if (kind === "absolute") {
    url.searchParams.set("from", run.from);
    url.searchParams.set("to", run.to);
  }
  return url.href;
}
