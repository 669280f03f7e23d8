/** One record beside the list, which goes on working: fields, JSON, raw text, neighbours, its trace. */
import { type ReactNode, useState } from "react";
import type { LogRecord } from "@/api/client";
import type { ExploreSearch } from "@/app/search";
import { copied } from "@/lib/copyAs";
import { LEVEL_TEXT, levelLabel } from "@/lib/levels";
import { realBreaks } from "@/lib/stack";
import { age, showTimestamp, type Zone } from "@/lib/time";
import { ContextTab } from "@/pages/explore/ContextTab";
import { CopyMenu } from "@/pages/explore/CopyMenu";
import { DrawerFrame } from "@/pages/explore/DrawerFrame";
import { FieldsTab } from "@/pages/explore/FieldsTab";
import { JsonTree } from "@/pages/explore/JsonTree";
import { LongText } from "@/pages/explore/LongText";
import { TraceTab } from "@/pages/explore/TraceTab";
import type { Explore } from "@/pages/explore/useExplore";
import { useRecord } from "@/pages/explore/useRecord";
import type { Run } from "@/pages/explore/useResults";
import { Failure } from "@/ui/Panel";
import { ToolButton } from "@/ui/ToolButton";

type Tab = NonNullable<ExploreSearch["tab"]> | "fields";

interface DrawerProps {
  /** `timestamp~id`. */
  readonly row: string;
  /** The record as the list has it, its message perhaps cut. */
  readonly listed: LogRecord | undefined;
  readonly explore: Explore;
  readonly run: Run;
  readonly zone: Zone;
  readonly onStep: (rows: number) => void;
  readonly onOpen: (record: LogRecord) => void;
  readonly link: () => string;
}

const TABS: readonly { readonly id: Tab; readonly label: string }[] = [
  { id: "fields", label: "Fields" },
  { id: "json", label: "JSON" },
  { id: "raw", label: "Raw" },
  { id: "context", label: "Context" },
  { id: "trace", label: "Trace" },
];

const NO_FIELDS: readonly string[] = [];

export function Drawer(props: DrawerProps) {
  const { row, listed, zone, explore, run, onStep, onOpen } = props;
  const { search, change } = explore;
  const tab: Tab = search.tab ?? "fields";
  const onTab = (next: ExploreSearch["tab"]) => change({ tab: next }, "replace");
  const { record, query, loadFull } = useRecord(row, listed);
  return (
    <DrawerFrame label="Record" width={search.drawer} onWidth={(drawer) => change({ drawer }, "replace")}>
      <header className="flex items-center gap-2 border-b border-line px-3 py-1.5">
        {record ? (
          <>
            <span
              className={`font-mono text-[12px] font-semibold ${LEVEL_TEXT[record.level] ?? "text-mute"}`}
            >
              {levelLabel(record.level)}
            </span>
            <bdi className="truncate font-mono text-[12px]">{record.service}</bdi>
            <span className="truncate text-[12px] text-mute tabular-nums" title={`${record.timestamp} (UTC)`}>
              {showTimestamp(record.timestamp, zone, { date: true, digits: 9 })} ·{" "}
              {age(record.timestamp, Date.now())}
            </span>
          </>
        ) : null}
        <span className="ml-auto flex items-center gap-0.5">
          {record ? <CopyMenu record={record} link={props.link} /> : null}
          <ToolButton icon="left" label="Previous record (k)" size={14} onClick={() => onStep(-1)} />
          <ToolButton icon="right" label="Next record (j)" size={14} onClick={() => onStep(1)} />
          <ToolButton
            icon="close"
            label="Close (Esc)"
            size={14}
            onClick={() => change({ row: undefined, tab: undefined })}
          />
        </span>
      </header>
      <Tabs tab={tab} hasTrace={Boolean(record?.trace_id)} onTab={onTab} />
      <div
        role="tabpanel"
        id="drawer-panel"
        aria-labelledby={`drawer-${tab}`}
        className="min-h-0 flex-1 overflow-auto"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
        tabIndex={0}
      >
        {record ? (
          panel(tab, record)
        ) : query.isError ? (
          <div className="px-3">
            <Failure query={query} />
          </div>
        ) : (
          <p className="px-3 py-6 text-center text-mute">Loading…</p>
        )}
      </div>
    </DrawerFrame>
  );

  function panel(shown: Tab, record: LogRecord): ReactNode {
    const message = (
      <FullMessage record={record} breaks={search.nl === "real"} busy={query.isFetching} onFull={loadFull} />
    );
    if (shown === "context") {
      return (
        <ContextTab
          anchor={record}
          zone={zone}
          dropped={search.apart ?? NO_FIELDS}
          onDropped={(apart) => change({ apart }, "replace")}
          onOpen={onOpen}
        />
      );
    }
    if (shown === "trace") return <TraceTab record={record} zone={zone} onOpen={onOpen} />;
    if (shown === "json") return <JsonTree value={record} />;
    if (shown === "raw") {
      return (
        <div className="p-3">
          <LongText text={copied([record], "json")} />
        </div>
      );
    }
    return <FieldsTab record={record} explore={explore} run={run} message={message} />;
  }
}

interface TabsProps {
  readonly tab: Tab;
  readonly hasTrace: boolean;
  readonly onTab: (tab: ExploreSearch["tab"]) => void;
}

function Tabs({ tab, hasTrace, onTab }: TabsProps) {
  const usable = TABS.filter(({ id }) => id !== "trace" || hasTrace || tab === "trace");
  const choose = (id: Tab) => onTab(id === "fields" ? undefined : id);
  return (
    <div
      role="tablist"
      aria-label="Views of the record"
      className="flex shrink-0 gap-1 border-b border-line px-2"
      onKeyDown={(event) => {
        const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
        const next = usable[usable.findIndex(({ id }) => id === tab) + step];
        if (step === 0 || !next) return;
        event.preventDefault();
        choose(next.id);
        document.getElementById(`drawer-${next.id}`)?.focus();
      }}
    >
      {usable.map(({ id, label }) => (
        <button
          key={id}
          type="button"
          role="tab"
          id={`drawer-${id}`}
          aria-selected={tab === id}
          aria-controls="drawer-panel"
          tabIndex={tab === id ? 0 : -1}
          onClick={() => choose(id)}
          className="-mb-px border-b-2 border-transparent px-2 py-1.5 text-[12px] text-mute hover:text-ink aria-selected:border-accent aria-selected:text-ink"
        >
          {label}
        </button>
      ))}
    </div>
  );
}

interface FullMessageProps {
  readonly record: LogRecord;
  readonly breaks: boolean;
  readonly busy: boolean;
  readonly onFull: () => void;
}

function FullMessage({ record, breaks, busy, onFull }: FullMessageProps) {
  const [formatted, setFormatted] = useState(true);
  return (
    <LongText
      text={breaks ? realBreaks(record.message) : record.message}
      formatted={formatted}
      onFormat={() => setFormatted(!formatted)}
      {...(record.truncated ? { wholeBytes: record.message_bytes ?? 0, onWhole: onFull, busy } : {})}
    />
  );
}
