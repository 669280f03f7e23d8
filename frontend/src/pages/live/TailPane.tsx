/** One tail: its query, its levels, its rows and its numbers. A page may have two. */
import { type ReactNode, type Ref, useImperativeHandle } from "react";
import type { ErrorBody } from "@/api/client";
import type { ExploreSearch } from "@/app/search";
import { rememberQuery } from "@/lib/recent";
import { QueryBar } from "@/pages/explore/QueryBar";
import { Icon } from "@/ui/icons";
import { LevelToggles } from "./LevelToggles";
import { PausedChip } from "./PausedChip";
import { StatusLine } from "./StatusLine";
import { TailDetail } from "./TailDetail";
import { TailList } from "./TailList";
import { refusal } from "./tail";
import { type Pane, usePane } from "./usePane";
import { tailQuery } from "./useTail";

interface TailPaneProps {
  /** Which of two; absent: the only one. */
  readonly number?: 1 | 2;
  /** The keys go to it. */
  readonly active: boolean;
  readonly text: string;
  readonly levels: readonly string[];
  readonly backfill: number;
  readonly terms: readonly string[];
  readonly wrap: boolean;
  /** Stands beside the levels. */
  readonly tools?: ReactNode;
  readonly ref: Ref<Pane>;
  readonly onQuery: (text: string) => void;
  readonly onLevels: (levels: readonly string[]) => void;
  readonly onExplore: (query: string, found: ExploreSearch) => void;
  readonly onActive: () => void;
  /** Absent: it cannot be closed. */
  readonly onClose?: () => void;
}

const ORDER = { 1: "First", 2: "Second" } as const;

export function TailPane(props: TailPaneProps) {
  const { number, active, text, levels, terms, wrap, tools, onQuery, onActive, onClose } = props;
  const query = tailQuery(text, levels);
  const pane = usePane(query, props.backfill);
  useImperativeHandle(props.ref, () => pane);
  const { tail, summary, live, record } = pane;
  const which = number ? `${ORDER[number]} tail` : "Tail";
  const run = (typed: string) => {
    rememberQuery(typed);
    if (typed !== text) onQuery(typed);
    else pane.again();
  };
  return (
    <section
      aria-label={which}
      onFocusCapture={onActive}
      onPointerDownCapture={onActive}
      className={`@container flex h-full min-h-0 min-w-0 flex-1 flex-col ${number ? `border-t-2 ${active ? "border-accent" : "border-transparent"}` : ""}`}
    >
      <div className={`flex shrink-0 flex-col gap-2 border-b border-line ${number ? "px-3 py-2" : "p-3"}`}>
        <div className="flex items-start gap-2">
          <div className="min-w-0 flex-1">
            <QueryBar
              text={text}
              label={number ? `${ORDER[number]} query` : "Query"}
              keyed={active}
              busy={false}
              hint="Follow: words, field:value, /regex/"
              error={typedError(refusal(summary.state), levels)}
              scope={{ query: tailQuery("", levels), from: "now-15m", to: "now" }}
              onType={() => {}}
              onRun={run}
              onCancel={() => {}}
            />
          </div>
          <button
            type="button"
            title={live ? "Stop; the rows stay (s)" : "Follow again (s)"}
            onClick={pane.turn}
            className="flex h-8 w-20 shrink-0 items-center justify-center gap-1.5 rounded-md border border-line bg-panel hover:bg-raised @max-sm:w-8"
          >
            <Icon name={live ? "stop" : "play"} size={13} />
            <span className="@max-sm:sr-only">{live ? "Stop" : "Start"}</span>
          </button>
          {onClose ? (
            <button
              type="button"
              aria-label={`Close the ${which.toLowerCase()}`}
              title="Close this tail (\)"
              onClick={onClose}
              className="grid h-8 w-8 shrink-0 place-content-center rounded-md text-mute hover:bg-raised hover:text-ink"
            >
              <Icon name="close" />
            </button>
          ) : null}
        </div>
        <div className="flex items-center gap-2">
          <LevelToggles levels={levels} onChange={props.onLevels} />
          {tools}
        </div>
      </div>
      <div className="relative flex min-h-0 flex-1">
        <div className="relative min-w-0 flex-1 bg-panel">
          <TailList
            tail={tail}
            name={number ? `${ORDER[number]} live records` : "Live records"}
            terms={terms}
            wrap={wrap}
            selected={pane.selected}
            onSelect={pane.select}
            onOpen={(row) => {
              pane.select(row);
              pane.open();
            }}
          />
          <PausedChip tail={tail} aside={record !== null} />
          <Nothing pane={pane} query={query} />
        </div>
        {record ? (
          <TailDetail
            record={record}
            onClose={pane.close}
            onExplore={() =>
              props.onExplore(query, {
                ...around(record.timestamp),
                ...(record.id ? { row: `${record.timestamp}~${record.id}` } : {}),
              })
            }
          />
        ) : null}
      </div>
      <StatusLine tail={tail} />
    </section>
  );
}

/** The place in what was typed: the chosen levels put a parenthesis before it. */
function typedError(error: ErrorBody | null, levels: readonly string[]): ErrorBody | null {
  if (!error?.column || levels.length === 0 || (error.line ?? 1) > 1) return error;
  return { ...error, column: Math.max(1, error.column - 1) };
}

/** Says why there are no rows. */
function Nothing({ pane: { summary }, query }: { pane: Pane; query: string }) {
  const { shown, state, frozen } = summary;
  if (shown > 0 || (state.kind !== "open" && state.kind !== "stopped")) return null;
  const text =
    state.kind === "stopped"
      ? "Stopped. Start follows again from here."
      : frozen
        ? "Paused before anything came."
        : `Waiting for records${query ? " that match" : ""}: they appear here as they arrive.`;
  return <p className="pointer-events-none absolute inset-x-0 top-1/3 px-4 text-center text-mute">{text}</p>;
}

function around(timestamp: string): { from: string; to: string } {
  const at = Date.parse(timestamp);
  return { from: new Date(at - 30_000).toISOString(), to: new Date(at + 30_000).toISOString() };
}
