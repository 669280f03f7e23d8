/** What matches, as it arrives: pushed, never asked for again and again. One tail, or two. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type CSSProperties, useRef, useState } from "react";
import { useShortcuts } from "@/app/keys";
import { type ExploreSearch, type LiveSearch, SPLIT_PERCENT } from "@/app/search";
import { Splitter } from "@/ui/Splitter";
import { LiveTools } from "./LiveTools";
import "./live.css";
import { rangeOf } from "./range";
import { TailPane } from "./TailPane";
import type { Pane } from "./usePane";
import { tailQuery } from "./useTail";

const NO_NAMES: readonly string[] = [];
const HALF = 50;

type Change = { readonly [K in keyof LiveSearch]?: LiveSearch[K] | undefined };

export function LivePage() {
  const search: LiveSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const levels = search.levels ?? NO_NAMES;
  const terms = search.hl ?? NO_NAMES;
  const split = search.split !== undefined;
  const panes = [useRef<Pane>(null), useRef<Pane>(null)] as const;
  const box = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState<0 | 1>(0);
  const [pulled, setPulled] = useState<number | null>(null);
  const active = split ? chosen : 0;
  const percent = pulled ?? search.split ?? HALF;
  const pane = () => panes[active].current;

  const merge = (change: Change, replace = false) =>
    void navigate({
      to: ".",
      replace,
      search: (old: Record<string, unknown>) => ({ ...old, ...change }) as never,
    });
  const explore = (query: string, found: ExploreSearch) =>
    void navigate({
      to: "/explore",
      search: { ...(query ? { q: query } : {}), ...(search.tz ? { tz: search.tz } : {}), ...found } as never,
    });
  const exploreAll = () => {
    const shown = pane()?.tail.buffer.shown;
    const range = shown ? rangeOf(shown) : null;
    const [text, only] = active === 0 ? [search.q, levels] : [search.q2, search.levels2 ?? NO_NAMES];
    if (range) explore(tailQuery(text ?? "", only), range);
  };
  const wrap = search.wrap === "wrap";
  const turnWrap = () => merge({ wrap: wrap ? undefined : "wrap" }, true);
  const clear = () => pane()?.tail.clear();
  const turnSplit = () => {
    if (split) {
      merge({ split: undefined, q2: undefined, levels2: undefined });
      setChosen(0);
    } else {
      merge({ split: HALF });
      setChosen(1);
    }
  };
  /** What is left when the first is closed is the second. */
  const closeFirst = () => {
    merge({ q: search.q2, levels: search.levels2, split: undefined, q2: undefined, levels2: undefined });
    setChosen(0);
  };
  const go = (to: 0 | 1) => {
    setChosen(to);
    box.current?.querySelectorAll<HTMLElement>("[role=grid]")[to]?.focus({ preventScroll: true });
  };

  useShortcuts([
    { keys: "Space", what: "Pause or resume", group: "Live tail", run: () => pane()?.pause() },
    { keys: "Shift+G", what: "Resume at the end", group: "Live tail", run: () => pane()?.tail.resume() },
    { keys: "s", what: "Stop or start", group: "Live tail", run: () => pane()?.turn() },
    { keys: "w", what: "Wrap long lines", group: "View", run: turnWrap },
    { keys: "Shift+X", what: "Clear the rows", group: "Live tail", run: clear },
    { keys: "Shift+E", what: "Open these rows in Explore", group: "Live tail", run: exploreAll },
    { keys: "\\", what: split ? "Back to one tail" : "Split into two tails", group: "View", run: turnSplit },
    ...(split
      ? ([
          { keys: "1", what: "Go to the first tail", group: "Live tail", run: () => go(0) },
          { keys: "2", what: "Go to the second tail", group: "Live tail", run: () => go(1) },
        ] as const)
      : []),
    { keys: "j", what: "Next row", group: "Rows", run: () => pane()?.move(1) },
    { keys: "k", what: "Row before", group: "Rows", run: () => pane()?.move(-1) },
    { keys: "ArrowDown", what: "Next row", group: "Rows", run: () => pane()?.move(1) },
    { keys: "ArrowUp", what: "Row before", group: "Rows", run: () => pane()?.move(-1) },
    { keys: "Enter", what: "Open the row", group: "Rows", run: () => pane()?.open() },
    { keys: "Escape", what: "Close the row, then resume", group: "Rows", run: () => pane()?.escape() },
  ]);

  const tools = (
    <LiveTools
      search={search}
      terms={terms}
      wrap={wrap}
      split={split}
      onTerms={(next) => merge({ hl: next.length > 0 ? next : undefined }, true)}
      onBack={(back) => merge({ back })}
      onWrap={turnWrap}
      onClear={clear}
      onExplore={exploreAll}
      onSplit={turnSplit}
    />
  );
  const common = { terms, wrap, backfill: search.back ?? 100, onExplore: explore };
  return (
    <div className="flex h-full flex-col">
      {split ? (
        <div className="flex shrink-0 items-center px-3 pt-2 pb-1.5 max-md:hidden">{tools}</div>
      ) : null}
      <div
        ref={box}
        className="flex min-h-0 flex-1 max-lg:flex-col"
        style={{ "--first": `${percent}%` } as CSSProperties}
      >
        <div
          className={
            split ? "min-h-0 min-w-0 shrink-0 max-lg:h-1/2 lg:w-(--first)" : "min-h-0 min-w-0 flex-1"
          }
        >
          <TailPane
            {...common}
            {...(split ? { number: 1, onClose: closeFirst } : {})}
            tools={split ? <div className="ml-auto md:hidden">{tools}</div> : tools}
            ref={panes[0]}
            active={active === 0}
            text={search.q ?? ""}
            levels={levels}
            onQuery={(q) => merge({ q })}
            onLevels={(next) => merge({ levels: next.length > 0 ? next : undefined })}
            onActive={() => setChosen(0)}
          />
        </div>
        {split ? (
          <>
            <Splitter
              label="Width of the first tail"
              value={percent}
              limits={SPLIT_PERCENT}
              usual={HALF}
              step={2}
              valueAt={(x, both) => ((x - both.left) / both.width) * 100}
              className="relative w-px shrink-0 bg-line before:absolute before:inset-y-0 before:-left-1 before:z-10 before:w-[9px] hover:bg-accent hover:before:bg-accent/20 focus-visible:bg-accent max-lg:hidden"
              onPull={setPulled}
              onSettle={(next) => {
                setPulled(null);
                merge({ split: next }, true);
              }}
            />
            <div className="min-h-0 min-w-0 flex-1 max-lg:h-1/2">
              <TailPane
                {...common}
                number={2}
                ref={panes[1]}
                active={active === 1}
                text={search.q2 ?? ""}
                levels={search.levels2 ?? NO_NAMES}
                onQuery={(q2) => merge({ q2 })}
                onLevels={(next) => merge({ levels2: next.length > 0 ? next : undefined })}
                onActive={() => setChosen(1)}
                onClose={turnSplit}
              />
            </div>
          </>
        ) : null}
      </div>
    </div>
  );
}
