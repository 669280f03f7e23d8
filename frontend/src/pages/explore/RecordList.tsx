/** The rows: only those on the screen are in the page, and the next ones are asked for in time. */
import { type KeyboardEvent, type MouseEvent, type ReactNode, useCallback, useEffect, useRef } from "react";
import type { Row } from "@/pages/explore/dedup";
import { FixedRows } from "@/pages/explore/FixedRows";
import { ListHeader } from "@/pages/explore/ListHeader";
import { columnsWidth, type Widths } from "@/pages/explore/layout";
import { RecordRow, type RowLook } from "@/pages/explore/RecordRow";
import type { ValueAct } from "@/pages/explore/useExplore";
import { later } from "@/ui/later";

const CellTools = later(() => import("@/pages/explore/CellTools").then((module) => module.CellTools));
const WrappedRows = later(() => import("@/pages/explore/WrappedRows").then((module) => module.WrappedRows));

export interface Cursor {
  readonly index: number;
  readonly field: string | null;
}

interface RecordListProps {
  readonly rows: readonly Row[];
  readonly look: RowLook;
  readonly stale: boolean;
  readonly cursor: Cursor;
  readonly openId: string | null;
  readonly picked: ReadonlySet<string>;
  /** Changes when the rows are those of another search: the list then begins at its top. */
  readonly searchKey: string;
  readonly more: boolean;
  readonly footer: ReactNode;
  readonly act: ValueAct;
  readonly onColumns: (columns: readonly string[]) => void;
  readonly onWidths: (widths: Widths) => void;
  readonly onOpen: (index: number) => void;
  readonly onPick: (index: number, many: boolean) => void;
  readonly onMove: (step: { rows?: number; cells?: number }) => void;
  readonly onNearEnd: () => void;
}

const MOVES: Readonly<Record<string, { rows?: number; cells?: number }>> = {
  ArrowDown: { rows: 1 },
  ArrowUp: { rows: -1 },
  ArrowRight: { cells: 1 },
  ArrowLeft: { cells: -1 },
};
const CLICK_PX = 4;
const HEADER_PX = 24;
/** Older rows are asked for so many before the last one, but not before half of them were seen. */
const AHEAD = 300;

export function RecordList(props: RecordListProps) {
  const { rows, look, stale, cursor, openId, picked, searchKey, more, footer, act, onNearEnd } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const pressed = useRef({ x: 0, y: 0 });
  const newest = useRef(rows);
  newest.current = rows;
  const recordAt = useRef((index: number) => newest.current[index]?.record).current;
  const idAt = useCallback((index: number) => rows[index]?.record.id ?? String(index), [rows]);
  // another search begins at its top
  useEffect(() => {
    scroller.current?.scrollTo(0, 0);
  }, [searchKey]);
  const onLast = useCallback(
    (last: number) => {
      if (more && last >= rows.length - Math.min(AHEAD, rows.length / 2)) onNearEnd();
    },
    [more, rows.length, onNearEnd],
  );
  const draw = (index: number, key: number) => {
    const row = rows[index];
    if (!row) return null;
    const active = index === cursor.index;
    return (
      <RecordRow
        key={key}
        record={row.record}
        count={row.count}
        index={index}
        look={look}
        active={active}
        open={row.record.id === openId}
        picked={picked.has(row.record.id)}
        cell={active ? cursor.field : null}
      />
    );
  };
  const list = {
    scroller,
    count: rows.length,
    height: look.height,
    header: HEADER_PX,
    cursor: cursor.index,
    draw,
    onLast,
    className: `relative transition-opacity duration-150 ${stale ? "opacity-50" : ""}`,
  };

  const onClick = (event: MouseEvent<HTMLElement>) => {
    const moved = Math.hypot(event.clientX - pressed.current.x, event.clientY - pressed.current.y) > CLICK_PX;
    const selected = getSelection()?.isCollapsed === false;
    const target = event.target instanceof Element ? event.target : null;
    const index = Number(target?.closest<HTMLElement>("[data-index]")?.dataset.index ?? -1);
    if (index < 0) return;
    if (target?.closest("[data-gutter]") || event.shiftKey || event.ctrlKey || event.metaKey) {
      getSelection()?.removeAllRanges();
      props.onPick(index, event.shiftKey);
    } else if (!moved && !selected) props.onOpen(index);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const move = event.ctrlKey || event.metaKey || event.altKey ? undefined : MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    props.onMove(move);
  };
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <div
        ref={scroller}
        role="grid"
        aria-label="Log records"
        aria-rowcount={more ? -1 : rows.length + 1}
        aria-colcount={look.columns.length + 4}
        aria-multiselectable="true"
        aria-busy={stale}
        {...(cursor.index >= 0 ? { "aria-activedescendant": `row-${cursor.index}` } : {})}
        tabIndex={0}
        onClick={onClick}
        onPointerDown={(event) => {
          pressed.current = { x: event.clientX, y: event.clientY };
        }}
        onMouseDown={(event) => {
          if (event.shiftKey) event.preventDefault(); // picks rows, does not select text
        }}
        onKeyDown={onKeyDown}
        // With a background of its own the browser scrolls it without painting anything anew.
        className="min-h-0 flex-1 overflow-auto bg-panel [overflow-anchor:none] focus-visible:outline-offset-[-2px]"
      >
        <div
          className={look.wrap ? "" : "min-w-full"}
          style={{
            minWidth: `${(look.columns.length > 0 ? 63 : 41) + columnsWidth(look.columns, look.widths) + look.digits - 3 + (look.withDate ? 11 : 0)}ch`,
          }}
        >
          <ListHeader look={look} onColumns={props.onColumns} onWidths={props.onWidths} />
          {look.wrap ? (
            <WrappedRows {...list} idAt={idAt} lookKey={`${look.wrap} ${look.height} ${look.realBreaks}`} />
          ) : (
            <FixedRows {...list} />
          )}
          <div className="px-3 py-2 text-center text-[12px] text-mute">{footer}</div>
        </div>
      </div>
      <CellTools scroller={scroller} recordAt={recordAt} act={act} />
    </div>
  );
}
