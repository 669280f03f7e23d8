import { expect, it } from "vitest";
import type { LogRecord } from "@/api/client";
import { estimatedBytes } from "./exportSize";

const record = (message: string): LogRecord => ({
  timestamp: "2026-01-31T12:00:00.123456789Z",
  level: "info",
  severity_number: 9,
  service: "api",
  message,
  trace_id: "",
  span_id: "",
  attributes: { status: "200" },
  resource: {},
  id: "1",
});

it("is the sample's mean size times the number of matches", () => {
  const { id: _, ...body } = record("hello");
  const line = JSON.stringify(body).length + 1;
  expect(estimatedBytes([record("hello")], 1_000, "ndjson", [])).toBe(line * 1_000);
  const longer = estimatedBytes([record("hello"), record("é".repeat(105))], 10, "ndjson", []) ?? 0;
  expect(longer).toBe(10 * line + 5 * 205);
});

it("counts a message that was cut for the list as whole", () => {
  const cut = { ...record("abc"), truncated: true, message_bytes: 5_003 };
  const size = estimatedBytes([cut], 1, "txt", []) ?? 0;
  expect(size).toBe((estimatedBytes([record("abc")], 1, "txt", []) ?? 0) + 5_000);
});

it("is less for some columns, and unknown without a sample or for what is compressed", () => {
  const all = estimatedBytes([record("hello")], 100, "csv", []) ?? 0;
  const some = estimatedBytes([record("hello")], 100, "csv", ["service", "status"]) ?? 0;
  expect(some).toBeGreaterThan(0);
  expect(some).toBeLessThan(all);
  expect(estimatedBytes([], 100, "csv", [])).toBeNull();
  expect(estimatedBytes([record("x")], 100, "parquet", [])).toBeNull();
});
