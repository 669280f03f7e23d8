/** The patterns, one a row; columns come as the table has room for them. */
import { type KeyboardEvent, type MouseEvent, useCallback, useEffect, useRef } from "react";
import { percent, whole } from "@/lib/format";
import type { Zone } from "@/lib/time";
import { PatternRow } from "@/pages/patterns/PatternRow";
import {
  keyOf,
  nextSort,
  type Pattern,
  type PatternsAnswer,
  type Sort,
  sortOf,
} from "@/pages/patterns/patterns";
import { TokenTip } from "@/pages/patterns/TokenTip";
import { CELL } from "@/pages/patterns/widths";

interface PatternTableProps {
  readonly answer: PatternsAnswer;
  /** In the order shown. */
  readonly patterns: readonly Pattern[];
  readonly sort: string | undefined;
  readonly zone: Zone;
  readonly stale: boolean;
  /** Where the keyboard is; -1: nowhere. */
  readonly cursor: number;
  readonly openKey: string | undefined;
  readonly onSort: (sort: string | undefined) => void;
  readonly onMove: (step: number) => void;
  readonly onOpen: (index: number) => void;
}

const CLICK_PX = 4;

export function PatternTable(props: PatternTableProps) {
  const { answer, patterns, sort, zone, stale, cursor, openKey, onSort } = props;
  const grid = useRef<HTMLDivElement>(null);
  const pressed = useRef({ x: 0, y: 0 });
  const newest = useRef(patterns);
  newest.current = patterns;
  const patternAt = useCallback((index: number) => newest.current[index], []);
  useEffect(() => {
    if (cursor >= 0) grid.current?.querySelector(`#pattern-${cursor}`)?.scrollIntoView({ block: "nearest" });
  }, [cursor]);
  const onClick = (event: MouseEvent<HTMLElement>) => {
    const moved = Math.hypot(event.clientX - pressed.current.x, event.clientY - pressed.current.y) > CLICK_PX;
    if (moved || getSelection()?.isCollapsed === false) return;
    const row = event.target instanceof Element && event.target.closest<HTMLElement>("[data-index]");
    if (row) props.onOpen(Number(row.dataset.index));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    props.onMove(step);
  };
  const head = { sort, onSort };
  return (
    <div
      ref={grid}
      role="grid"
      aria-label="Patterns"
      aria-rowcount={patterns.length + 1}
      aria-busy={stale}
      {...(cursor >= 0 ? { "aria-activedescendant": `pattern-${cursor}` } : {})}
      tabIndex={0}
      onClick={onClick}
      onPointerDown={(event) => {
        pressed.current = { x: event.clientX, y: event.clientY };
      }}
      onKeyDown={onKeyDown}
      className="@container min-h-0 min-w-0 flex-1 overflow-auto bg-panel focus-visible:outline-offset-[-2px]"
    >
      <div
        role="row"
        className="sticky top-0 z-10 flex h-7 items-center gap-3 border-b border-line bg-panel px-3 text-[11px] text-mute"
      >
        <span role="columnheader" className={CELL.template}>
          Pattern
        </span>
        <span role="columnheader" className={CELL.level}>
          Level
        </span>
        <span role="columnheader" className={CELL.service}>
          Service
        </span>
        <Head column="count" label="Count" cell={CELL.count} {...head} />
        <span role="columnheader" className={`${CELL.share} text-right`}>
          Share
        </span>
        <span role="columnheader" className={CELL.volume}>
          Volume
        </span>
        <Head column="change" label="Change" cell={CELL.change} {...head} />
        <Head column="first" label="First seen" cell={CELL.first} {...head} />
        <Head column="last" label="Last seen" cell={CELL.last} {...head} />
      </div>
      <div role="rowgroup" className={`transition-opacity duration-150 ${stale ? "opacity-50" : ""}`}>
        {patterns.map((pattern, index) => {
          const key = keyOf(pattern);
          return (
            <PatternRow
              key={key}
              pattern={pattern}
              index={index}
              zone={zone}
              exact={answer.exact}
              active={index === cursor}
              open={key === openKey}
            />
          );
        })}
      </div>
      {answer.other.count > 0 ? (
        <p className="px-3 py-2.5 text-[12px] text-mute tabular-nums">
          {answer.exact ? "" : "≈ "}
          {whole(answer.other.count)} records (
          {percent(answer.other.share, answer.other.share < 0.001 ? 3 : 1)}) fit none of these
        </p>
      ) : null}
      <TokenTip within={grid} patternAt={patternAt} />
    </div>
  );
}

interface HeadProps {
  readonly column: Sort;
  readonly label: string;
  readonly cell: string;
  readonly sort: string | undefined;
  readonly onSort: (sort: string | undefined) => void;
}

function Head({ column, label, cell, sort, onSort }: HeadProps) {
  const { key, down } = sortOf(sort);
  const on = key === column;
  return (
    <span
      role="columnheader"
      aria-sort={on ? (down ? "descending" : "ascending") : "none"}
      className={`${cell} text-right`}
    >
      <button
        type="button"
        className={`rounded px-0.5 hover:text-ink ${on ? "text-ink" : ""}`}
        onClick={(event) => {
          event.stopPropagation();
          onSort(nextSort(sort, column));
        }}
      >
        {label}
        <span aria-hidden="true">{on ? (down ? " ↓" : " ↑") : ""}</span>
      </button>
    </span>
  );
}
