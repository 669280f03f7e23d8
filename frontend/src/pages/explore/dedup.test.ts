import { expect, it } from "vitest";
import type { LogRecord } from "@/api/client";
import { type Dedup, deduplicated } from "./dedup";

const says = (message: string, level = "info"): LogRecord => ({
  timestamp: "2026-01-31T12:00:00Z",
  level,
  severity_number: 9,
  service: "api",
  message,
  trace_id: "",
  span_id: "",
  attributes: {},
  resource: {},
  id: message,
});

const seen = (records: readonly LogRecord[], dedup: Dedup | undefined) =>
  deduplicated(records, dedup).map((row) => `${row.record.message} ×${row.count}`);

it("counts the same text on the first row that says it, per level", () => {
  const rows = [says("a"), says("b"), says("a"), says("a", "error")];
  expect(seen(rows, "exact")).toEqual(["a ×2", "b ×1", "a ×1"]);
  expect(seen(rows, undefined)).toHaveLength(4);
});

it("takes texts that differ in numbers and ids as the same", () => {
  const rows = [
    says("session 809c0c36 for user 23192 in 3.14 ms"),
    says("session ea634dd0e14d for user 1 in 12 ms"),
    says("\u001b[31msession 1 for user 2 in 3 ms\u001b[0m"),
    says("session lost"),
  ];
  expect(seen(rows, "numbers").map((text) => text.slice(-2))).toEqual(["×3", "×1"]);
});

it("takes texts of the same build as the same: quotes, paths, assigned values and lists differ", () => {
  const rows = [
    says('GET /api/v1/users/ada returned 200 for user="Ada L." in 3 ms'),
    says("GET /health returned 503 for user=bob in 12 ms"),
    says("cannot open 'a.txt': tried 1, 2, 3"),
    says("cannot open 'b c.txt': tried 4"),
    says("cannot close 'a.txt': tried 1"),
  ];
  expect(seen(rows, "signature").map((text) => text.slice(-2))).toEqual(["×2", "×2", "×1"]);
  expect(seen(rows, "numbers")).toHaveLength(5);
});
