/** What the tools' menus hold; loaded after the first rows. */
import { useQuery } from "@tanstack/react-query";
import { answered, api, type LogRecord } from "@/api/client";
import { asCurl, type CopyFormat, copied } from "@/lib/copyAs";
import { inList } from "@/lib/fieldNames";
import { bytes, whole } from "@/lib/format";
import { preferredDensity } from "@/lib/preferred";
import type { TimeRange } from "@/lib/time";
import { type ExportFormat, estimatedBytes } from "@/pages/explore/exportSize";
import { exportColumns, exportUrl } from "@/pages/explore/links";
import type { Explore } from "@/pages/explore/useExplore";
import type { Run } from "@/pages/explore/useResults";
import { MenuItem, MenuTitle } from "@/ui/MenuItem";

export function ViewChoices({ explore }: { explore: Explore }) {
  const { search, change, columns } = explore;
  const density = preferredDensity();
  return (
    <div className="w-60">
      <MenuTitle>Messages</MenuTitle>
      <MenuItem on={!search.wrap} onClick={() => change({ wrap: undefined })}>
        On one line
      </MenuItem>
      <MenuItem on={search.wrap === "wrap"} hint="w" onClick={() => change({ wrap: "wrap" })}>
        Wrapped
      </MenuItem>
      <MenuItem on={search.wrap === "json"} onClick={() => change({ wrap: "json" })}>
        With fields, JSON set out
      </MenuItem>
      <MenuItem on={search.nl === "real"} onClick={() => change({ nl: search.nl ? undefined : "real" })}>
        <span className="font-mono">\n</span> as a line break
      </MenuItem>
      <MenuTitle>Times</MenuTitle>
      <div className="flex">
        {([undefined, 6, 9] as const).map((frac) => (
          <MenuItem key={frac ?? 3} on={search.frac === frac} onClick={() => change({ frac })}>
            {frac === 9 ? "ns" : frac === 6 ? "µs" : "ms"}
          </MenuItem>
        ))}
      </div>
      <MenuTitle>Rows</MenuTitle>
      {(["compact", "normal", "roomy"] as const).map((rows) => (
        <MenuItem
          key={rows}
          on={(search.rows ?? density) === rows}
          onClick={() => change({ rows: rows === density ? undefined : rows })}
        >
          <span className="capitalize">{rows}</span>
        </MenuItem>
      ))}
      <MenuTitle>The same again</MenuTitle>
      <MenuItem on={!search.dedup} onClick={() => change({ dedup: undefined })}>
        Every row
      </MenuItem>
      <MenuItem on={search.dedup === "exact"} onClick={() => change({ dedup: "exact" })}>
        Same text once, ×N
      </MenuItem>
      <MenuItem on={search.dedup === "numbers"} onClick={() => change({ dedup: "numbers" })}>
        Same but for numbers, ×N
      </MenuItem>
      <MenuItem on={search.dedup === "signature"} onClick={() => change({ dedup: "signature" })}>
        Same but for values, ×N
      </MenuItem>
      {columns.length > 0 || search.widths ? (
        <>
          <MenuTitle>Columns</MenuTitle>
          <MenuItem onClick={() => change({ cols: undefined, widths: undefined })}>Reset columns</MenuItem>
        </>
      ) : null}
    </div>
  );
}

interface ShareChoicesProps {
  readonly run: Run;
  /** As the URL has it, relative or not. */
  readonly range: TimeRange;
  readonly picked: readonly LogRecord[];
  readonly loaded: readonly LogRecord[];
  readonly link: (kind: "relative" | "absolute") => string;
  readonly put: (text: string, what: string) => void;
  readonly putLink: (href: string) => void;
}

export function ShareChoices({ run, range, picked, loaded, link, put, putLink }: ShareChoicesProps) {
  const info = useQuery({
    queryKey: ["info"],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/info", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const rows = picked.length > 0 ? picked : loaded;
  const which =
    picked.length > 0 ? `${whole(picked.length)} picked rows` : `${whole(loaded.length)} loaded rows`;
  const formats: readonly (readonly [CopyFormat, string])[] = [
    ["text", "Text"],
    ["json", "JSON"],
    ["markdown", "Markdown"],
  ];
  return (
    <div className="w-60">
      <MenuTitle>This search</MenuTitle>
      <MenuItem hint="the same window" onClick={() => putLink(link("absolute"))}>
        Link, absolute
      </MenuItem>
      <MenuItem hint={`${range.from} to ${range.to}`.slice(0, 22)} onClick={() => putLink(link("relative"))}>
        Link, as it is
      </MenuItem>
      <MenuItem
        onClick={() =>
          put(
            asCurl({
              base: new URL(".", document.baseURI).href.replace(/\/$/, ""),
              query: run.query,
              from: run.from,
              to: run.to,
              keyRequired: info.data?.keys_required ?? false,
            }),
            "curl",
          )
        }
      >
        curl command
      </MenuItem>
      {run.piped ? null : (
        <>
          <MenuTitle>{which}</MenuTitle>
          {formats.map(([format, label]) => (
            <MenuItem key={format} onClick={() => put(copied(rows, format), label)}>
              Copy as {label}
            </MenuItem>
          ))}
        </>
      )}
    </div>
  );
}

interface ExportChoicesProps {
  readonly explore: Explore;
  readonly run: Run;
  readonly loaded: readonly LogRecord[];
  readonly close: () => void;
}

const FORMATS: readonly (readonly [ExportFormat, string, string])[] = [
  ["ndjson", "NDJSON", "a record a line"],
  ["csv", "CSV", "spreadsheets"],
  ["txt", "Text", "a line a record"],
  ["parquet", "Parquet", "data tools"],
];

const NO_COLUMNS: readonly string[] = [];

/** About how large it is, as the server judges by some of the records. */
function useParquetSize(run: Run, matched: number | undefined, shown: readonly string[]): number | undefined {
  const { query, from, to, piped } = run;
  const columns = shown.map(inList).join(",");
  const size = useQuery({
    queryKey: ["size", query, from, to, matched, columns],
    enabled: !piped && matched !== undefined && matched > 0,
    queryFn: ({ signal }) => {
      const asked = { query, from, to, format: "parquet", columns, records: matched ?? 0 } as const;
      return answered(api.GET("/api/v1/export/size", { params: { query: asked }, signal }));
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  return size.data?.bytes ?? undefined;
}

export function ExportChoices({ explore, run, loaded, close }: ExportChoicesProps) {
  const { columns } = explore;
  const { query, from, to, piped } = run;
  const count = useQuery({
    queryKey: ["count", query, from, to],
    enabled: !piped,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/histogram", { params: { query: { query, from, to } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const matched = count.data?.total;
  // What is compressed only the server can judge.
  const compressed = [
    useParquetSize(run, matched, NO_COLUMNS),
    useParquetSize(run, columns.length > 0 ? matched : undefined, exportColumns(columns)),
  ];
  const size = (format: ExportFormat, shown: readonly string[]) => {
    const judged = format === "parquet" ? compressed[shown.length > 0 ? 1 : 0] : undefined;
    const about =
      matched === undefined || piped ? null : (judged ?? estimatedBytes(loaded, matched, format, shown));
    return about === null ? null : `≈ ${bytes(about)}`;
  };
  // The link is followed first, then it may go.
  const later = () => void setTimeout(close);
  const row = "flex items-baseline justify-between gap-6 rounded px-2 py-1 text-[12px] hover:bg-raised";
  const choices = (shown: readonly string[]) =>
    FORMATS.map(([format, label, hint]) => (
      <a key={format} className={row} href={exportUrl(run, format, shown)} download onClick={later}>
        {label}
        <span className="text-[11px] text-mute tabular-nums">{size(format, shown) ?? hint}</span>
      </a>
    ));
  return (
    <div className="w-60">
      <MenuTitle>
        {piped
          ? "The whole table"
          : matched === undefined
            ? "Everything that matches, whole"
            : `All ${whole(matched)} that match, whole`}
      </MenuTitle>
      {choices([])}
      {columns.length > 0 && !piped ? (
        <>
          <MenuTitle>Only the columns shown</MenuTitle>
          {choices(exportColumns(columns))}
        </>
      ) : null}
      <p className="px-2 pt-1.5 text-[11px] text-mute">
        Oldest first, streamed. The browser shows how far it is, and can stop it.
      </p>
    </div>
  );
}
