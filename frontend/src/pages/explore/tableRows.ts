/** The table of a piped query: its columns, its order, what a chart could draw of it. */

export type TableValue = string | number | null;
export type TableRow = Readonly<Record<string, TableValue>>;

export interface Order {
  readonly column: string;
  readonly down: boolean;
}

/** `-n` and `n`, as the URL keeps an order. */
export const orderText = (order: Order | null): string | undefined =>
  order ? `${order.down ? "-" : ""}${order.column}` : undefined;

/** The order of these columns that a text means; a column that begins with `-` is itself first. */
export function orderOf(text: string | undefined, columns: readonly string[]): Order | null {
  if (text === undefined) return null;
  if (columns.includes(text)) return { column: text, down: false };
  const column = text.slice(1);
  return text.startsWith("-") && columns.includes(column) ? { column, down: true } : null;
}

/** The order after a click on a column's name: its best direction, the other one, none. */
export function orderAfter(order: Order | null, column: string, numeric: boolean): Order | null {
  if (order?.column !== column) return { column, down: numeric };
  return order.down === numeric ? { column, down: !order.down } : null;
}

export function columnsOf(rows: readonly TableRow[]): readonly string[] {
  return [...new Set(rows.slice(0, 100).flatMap((row) => Object.keys(row)))];
}

export const isNumeric = (rows: readonly TableRow[], column: string): boolean =>
  rows.some((row) => typeof row[column] === "number") &&
  rows.every((row) => row[column] === null || row[column] === undefined || typeof row[column] === "number");

/** Numbers as numbers, text by its numbers' size too, nulls last in both directions; stable. */
export function sortedRows(rows: readonly TableRow[], order: Order | null): readonly TableRow[] {
  if (!order) return rows;
  const sign = order.down ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [a[order.column] ?? null, b[order.column] ?? null];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    if (typeof left === "number" && typeof right === "number") return sign * (left - right);
    return sign * COLLATOR.compare(String(left), String(right));
  });
}

const COLLATOR = new Intl.Collator("en", { numeric: true });

export interface TableChart {
  readonly labels: readonly string[];
  readonly values: readonly number[];
  readonly column: string;
}

/** One bar a row of a numeric column, the wanted or the first, named by the texts; `null`: nothing to draw. */
export function chartOf(
  rows: readonly TableRow[],
  columns: readonly string[],
  most: number,
  wanted = "",
): TableChart | null {
  const numeric = columns.filter((one) => isNumeric(rows, one));
  const column = numeric.includes(wanted) ? wanted : numeric[0];
  const names = columns.filter((one) => !isNumeric(rows, one));
  if (!column || names.length === 0 || rows.length < 2) return null;
  const shown = rows.slice(0, most);
  return {
    column,
    labels: shown.map((row) => names.map((name) => String(row[name] ?? "—")).join(" · ")),
    values: shown.map((row) => Number(row[column] ?? 0)),
  };
}
