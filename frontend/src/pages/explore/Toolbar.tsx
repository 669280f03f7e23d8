/** How rows are shown, and ways to take them along. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api, type LogRecord } from "@/api/client";
import { toClipboard } from "@/lib/clipboard";
import { asCurl, type CopyFormat, copied } from "@/lib/copyAs";
import { whole } from "@/lib/format";
import type { TimeRange } from "@/lib/time";
import { exportUrl } from "@/pages/explore/links";
import type { Explore } from "@/pages/explore/useExplore";
import type { Run } from "@/pages/explore/useResults";
import { Icon, type IconName } from "@/ui/icons";
import { MenuItem, MenuTitle } from "@/ui/MenuItem";
import { Popover } from "@/ui/Popover";

interface ToolbarProps {
  readonly explore: Explore;
  readonly run: Run;
  /** As the URL has it, relative or not. */
  readonly range: TimeRange;
  readonly picked: readonly LogRecord[];
  readonly loaded: readonly LogRecord[];
  readonly link: (kind: "relative" | "absolute") => string;
  readonly onUnpick: () => void;
}

export function Toolbar(props: ToolbarProps) {
  const { explore, run, picked, onUnpick } = props;
  const [said, setSaid] = useState("");
  const copy = (text: string, what: string) =>
    void toClipboard(text).then((done) => {
      setSaid(done ? `${what} copied` : "The browser allows no copying");
      setTimeout(() => setSaid(""), 2_500);
    });
  return (
    <div className="flex shrink-0 items-center gap-1.5">
      <span role="status" className="text-[12px] text-good">
        {said}
      </span>
      {picked.length > 0 ? (
        <span className="flex shrink-0 items-center gap-1 text-[12px] whitespace-nowrap text-accent tabular-nums">
          {whole(picked.length)} picked
          <button type="button" className="px-1 text-mute hover:text-ink" onClick={onUnpick}>
            Clear
          </button>
        </span>
      ) : null}
      {run.piped ? null : <ViewMenu explore={explore} />}
      <CopyRows {...props} copy={copy} />
      <ExportMenu explore={explore} run={run} />
    </div>
  );
}

function Face({ icon, label }: { icon: IconName; label: string }) {
  return (
    <>
      <Icon name={icon} size={14} />
      <span className="max-xl:sr-only">{label}</span>
    </>
  );
}

const FACE =
  "flex h-7 items-center gap-1.5 rounded-md border border-line bg-panel px-2 text-[12px] text-mute hover:bg-raised hover:text-ink";

function ViewMenu({ explore }: { explore: Explore }) {
  const { search, change, columns } = explore;
  return (
    <Popover label="View" button={<Face icon="wrap" label="View" />} buttonClass={FACE}>
      {() => (
        <div className="w-56">
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
          <MenuTitle>Rows</MenuTitle>
          <MenuItem on={search.rows === "compact"} onClick={() => change({ rows: "compact" })}>
            Compact
          </MenuItem>
          <MenuItem on={!search.rows} onClick={() => change({ rows: undefined })}>
            Normal
          </MenuItem>
          <MenuItem on={search.rows === "roomy"} onClick={() => change({ rows: "roomy" })}>
            Roomy
          </MenuItem>
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
          {columns.length > 0 ? (
            <>
              <MenuTitle>Columns</MenuTitle>
              <MenuItem onClick={() => change({ cols: undefined })}>Reset columns</MenuItem>
            </>
          ) : null}
        </div>
      )}
    </Popover>
  );
}

function CopyRows(props: ToolbarProps & { copy: (text: string, what: string) => void }) {
  const { run, range, picked, loaded, link, copy } = props;
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
    <Popover label="Copy and share" button={<Face icon="link" label="Share" />} buttonClass={FACE}>
      {(close) => {
        const put = (text: string, what: string) => {
          copy(text, what);
          close();
        };
        return (
          <div className="w-60">
            <MenuTitle>This search</MenuTitle>
            <MenuItem hint="the same window" onClick={() => put(link("absolute"), "Link")}>
              Link, absolute
            </MenuItem>
            <MenuItem
              hint={`${range.from} to ${range.to}`.slice(0, 22)}
              onClick={() => put(link("relative"), "Link")}
            >
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
      }}
    </Popover>
  );
}

function ExportMenu({ explore, run }: { explore: Explore; run: Run }) {
  const { columns } = explore;
  const formats = [
    ["ndjson", "NDJSON", "a record a line"],
    ["csv", "CSV", "spreadsheets"],
    ["parquet", "Parquet", "data tools"],
  ] as const;
  const row = "flex items-baseline justify-between gap-6 rounded px-2 py-1 text-[12px] hover:bg-raised";
  return (
    <Popover
      label="Export everything that matches"
      button={<Face icon="export" label="Export" />}
      buttonClass={FACE}
    >
      {(close) => (
        <div className="w-60">
          <MenuTitle>Everything that matches, whole</MenuTitle>
          {formats.map(([format, label, hint]) => (
            <a key={format} className={row} href={exportUrl(run, format, [])} download onClick={close}>
              {label}
              <span className="text-[11px] text-mute">{hint}</span>
            </a>
          ))}
          {columns.length > 0 && !run.piped ? (
            <>
              <MenuTitle>Only the columns shown</MenuTitle>
              {formats.map(([format, label]) => (
                <a
                  key={format}
                  className={row}
                  href={exportUrl(run, format, columns)}
                  download
                  onClick={close}
                >
                  {label}
                </a>
              ))}
            </>
          ) : null}
        </div>
      )}
    </Popover>
  );
}
