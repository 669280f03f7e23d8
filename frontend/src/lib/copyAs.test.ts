import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { LogRecord } from "@/api/client";
import { asCurl, copied, shellQuote } from "./copyAs";

const record: LogRecord = {
  timestamp: "2026-01-31T12:00:00Z",
  level: "error",
  severity_number: 17,
  service: "api",
  message: "\u001b[31ma|b\n<i>\u001b[0m",
  trace_id: "",
  span_id: "",
  attributes: {},
  resource: {},
  id: "1",
};

it("copies text without colours and Markdown that is only a table", () => {
  expect(copied([record], "text")).toBe("2026-01-31T12:00:00Z ERROR api a|b\n<i>");
  expect(copied([record], "markdown").split("\n")[2]).toBe(
    "| 2026-01-31T12:00:00Z | ERROR | api | a\\|b<br>\\<i\\> |",
  );
});

it("copies one record as an object and several as lines of JSON", () => {
  expect(JSON.parse(copied([record], "json"))).toEqual(record);
  expect(
    copied([record, record], "json")
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([record, record]);
});

it("quotes any text as one word of a shell", () => {
  const hostile = fc.string({ unit: fc.constantFrom("'", '"', "$", "`", "\\", " ", "\n", "a", ";", "!") });
  const texts = fc.sample(hostile, 50).filter((text) => text !== "");
  const out = execFileSync("sh", ["-c", `printf '%s\\0' ${texts.map(shellQuote).join(" ")}`], {
    encoding: "utf8",
  });
  expect(out.split("\0").slice(0, -1)).toEqual(texts);
});

it("names the key's variable only where a key is asked for", () => {
  const ask = { base: "http://localhost:3001", query: "it's", from: "now-1h", to: "now", keyRequired: false };
  expect(asCurl(ask)).not.toContain("KEY");
  expect(asCurl({ ...ask, keyRequired: true })).toContain('-H "X-API-Key: $LOGSTREAM_API_KEY"');
  expect(asCurl(ask)).toContain("'query=it'\\''s'");
});
