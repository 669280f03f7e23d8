/** About how large an export will be, from the records that are here already. */
import type { LogRecord } from "@/api/client";
import { fieldValue } from "@/lib/fieldNames";

export type ExportFormat = "ndjson" | "csv" | "txt" | "parquet";

const SAMPLE = 200;
const LINE_START = 26; // the level, spaces and the line's end beside a timestamp of 30

/**
 * Bytes of `matched` records like those of the sample; `null`: nothing to judge by, or a format
 * that is compressed. No columns: the whole record.
 */
export function estimatedBytes(
  sample: readonly LogRecord[],
  matched: number,
  format: ExportFormat,
  columns: readonly string[],
): number | null {
  const some = spread(sample, SAMPLE);
  if (some.length === 0 || format === "parquet") return null;
  const sizes = some.map((record) =>
    columns.length > 0 ? columnsSize(record, columns, format) : wholeSize(record, format),
  );
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  return Math.round(mean * matched);
}

/** Some of the records from all over the list. */
function spread<T>(list: readonly T[], most: number): readonly T[] {
  if (list.length <= most) return list;
  return Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)] as T);
}

function wholeSize(record: LogRecord, format: ExportFormat): number {
  const { id: _, truncated, message_bytes, ...body } = record;
  // A message that was cut for the list is whole in the file.
  const cut = truncated && message_bytes ? message_bytes - bytesOf(record.message) : 0;
  if (format === "txt") return LINE_START + 30 + record.service.length + bytesOf(record.message) + cut;
  const size = bytesOf(JSON.stringify(body)) + 1 + cut;
  // CSV names its columns once; what is JSON in it has its quotes doubled.
  return format === "csv"
    ? size - 110 + (JSON.stringify([body.attributes, body.resource]).match(/"/g)?.length ?? 0)
    : size;
}

function columnsSize(record: LogRecord, columns: readonly string[], format: ExportFormat): number {
  return columns.reduce((sum, name) => {
    const value = bytesOf(fieldValue(record, name) ?? "");
    return sum + value + (format === "ndjson" ? name.length + 6 : 1);
  }, 1);
}

const ENCODER = new TextEncoder();
const bytesOf = (text: string): number => ENCODER.encode(text).length;
