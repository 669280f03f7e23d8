/** The keyboard over the rows: where it stands, and what each key does there. */
import { useCallback, useState } from "react";
import type { LogRecord } from "@/api/client";
import { useShortcuts } from "@/app/keys";
import { toClipboard } from "@/lib/clipboard";
import { copied } from "@/lib/copyAs";
import { copyLink } from "@/lib/copyLink";
import { fieldValue } from "@/lib/fieldNames";
import type { Row } from "@/pages/explore/dedup";
import type { Cursor } from "@/pages/explore/RecordList";
import type { Explore } from "@/pages/explore/useExplore";
import { useFieldsShown } from "@/pages/explore/useFieldsShown";
import { idOf, rowKey } from "@/pages/explore/useRecord";

interface RowKeys {
  readonly explore: Explore;
  readonly rows: readonly Row[];
  readonly link: () => string;
  readonly onEscape: () => void;
  readonly onSaid: (text: string) => void;
}

export function useRowKeys({ explore, rows, link, onEscape, onSaid }: RowKeys) {
  const { search, change, act, columns } = explore;
  const [place, setPlace] = useState<{ id: string | null; index: number; field: string | null }>({
    id: null,
    index: -1,
    field: null,
  });
  const beside = useFieldsShown(search.facets);
  const openId = search.row ? idOf(search.row) : null;
  const index = indexOf(rows, openId ?? place.id, place.index);
  const cursor: Cursor = { index, field: place.field };
  const current = rows[index]?.record;
  const fields = ["timestamp", "level", "service", ...columns, "message"];

  const open = useCallback(
    (record: LogRecord, how: "push" | "replace" = "push") => change({ row: rowKey(record) }, how),
    [change],
  );
  const goTo = (next: number) => {
    const record = rows[next]?.record;
    if (!record) return;
    setPlace((old) => ({ ...old, id: record.id, index: next }));
    if (openId !== null) open(record, "replace");
  };
  const step = (count: number) => goTo(Math.min(rows.length - 1, Math.max(0, index + count)));
  const move = ({ rows: down = 0, cells = 0 }: { rows?: number; cells?: number }) => {
    if (down) step(down);
    if (!cells) return;
    const at = place.field ? fields.indexOf(place.field) : -1;
    setPlace((old) => ({
      ...old,
      field: fields[Math.min(fields.length - 1, Math.max(0, at + cells))] ?? null,
    }));
  };
  const value = (exclude: boolean) => {
    const field = place.field ?? "service";
    if (!current || (field === "message" && current.truncated)) return;
    act(exclude ? "exclude" : "include", field, fieldValue(current, field) ?? "");
  };
  const copy = (text: string, what: string) =>
    void toClipboard(text).then((done) => onSaid(done ? `${what} copied` : "The browser allows no copying"));
  const openAt = (at: number) => {
    const record = rows[at]?.record;
    if (!record) return;
    setPlace((old) => ({ ...old, id: record.id, index: at }));
    open(record);
  };
  useShortcuts([
    { keys: "j", what: "Next record", group: "Rows", run: () => step(1) },
    { keys: "k", what: "Previous record", group: "Rows", run: () => step(-1) },
    { keys: "Enter", what: "Open the record", group: "Rows", run: () => openAt(Math.max(0, index)) },
    { keys: "Escape", what: "Close, clear", group: "Rows", run: onEscape },
    { keys: "+", what: "Only records with the value", group: "Rows", run: () => value(false) },
    { keys: "-", what: "No records with the value", group: "Rows", run: () => value(true) },
    {
      keys: "c",
      what: "What happened around it",
      group: "Rows",
      run: () => current && change({ row: rowKey(current), tab: "context" }),
    },
    {
      keys: "y",
      what: "Copy the record as JSON",
      group: "Rows",
      run: () => current && copy(copied([current], "json"), "JSON"),
    },
    { keys: "Shift+Y", what: "Copy a link", group: "Rows", run: () => void copyLink(link()).then(onSaid) },
    {
      keys: "w",
      what: "Wrap messages",
      group: "View",
      run: () => change({ wrap: search.wrap ? undefined : "wrap" }),
    },
    { keys: "g", what: "First row", group: "Rows", run: () => goTo(0) },
    { keys: "Shift+G", what: "Last row loaded", group: "Rows", run: () => goTo(rows.length - 1) },
    {
      keys: "f",
      what: "Show or hide the fields",
      group: "View",
      run: () => change({ facets: beside.turned }),
    },
  ]);
  return { cursor, openId, current, open, openAt, step, move };
}

/** Where a record stands now; rows above it may have come or gone. */
function indexOf(rows: readonly Row[], id: string | null, before: number): number {
  if (id === null) return -1;
  if (rows[before]?.record.id === id) return before;
  return rows.findIndex((row) => row.record.id === id);
}
