import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogRecord } from "@/api/client";
import { fieldValue, recordFields } from "./fieldNames";
import { effectiveQuery, pillText, toggled } from "./filters";
import { fieldName, quote, unquote } from "./quote";

const record = (change: Partial<LogRecord>): LogRecord => ({
  timestamp: "2026-01-31T12:00:00Z",
  level: "info",
  severity_number: 9,
  service: "api",
  message: "hello",
  trace_id: "",
  span_id: "",
  attributes: {},
  resource: {},
  id: "1",
  ...change,
});

// Surrogate halves cannot arrive: the API's JSON is UTF-8.
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.string({
    unit: fc.constantFrom('"', "\\", "|", "(", ")", "*", ":", " ", "\n", "/", "a", "OR", "\u2028", "\0", "-"),
  }),
);

describe("recordFields", () => {
  it("gives each field a name that finds exactly its value", () => {
    fc.assert(
      fc.property(fc.dictionary(text, text), fc.dictionary(text, text), (attributes, resource) => {
        const made = record({ attributes, resource });
        for (const field of recordFields(made)) {
          expect(fieldValue(made, field.name)).toBe(field.value);
          expect(fieldName(field.name)).toBe(field.name);
        }
      }),
    );
  });

  it("tells an attribute from the record's own field and from the resource's", () => {
    const made = record({
      attributes: { level: "high", "a b": "1" },
      resource: { "a b": "2", host: "web-1" },
    });
    expect(recordFields(made).map(({ name, value }) => [name, value])).toEqual([
      ["timestamp", "2026-01-31T12:00:00Z"],
      ["level", "info"],
      ["severity_number", "9"],
      ["service", "api"],
      ["message", "hello"],
      ['"a b"', "1"],
      ['"level"', "high"],
      ['resource."a b"', "2"],
      ["host", "web-1"],
    ]);
  });

  it("reads a synonym as the attribute where there is one", () => {
    expect(fieldValue(record({}), "msg")).toBe("hello");
    expect(fieldValue(record({ attributes: { msg: "own" } }), "msg")).toBe("own");
  });
});

describe("pills", () => {
  it("write any value so that it reads back as itself", () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(unquote(quote(value))).toBe(value);
        expect(quote(value)).toMatch(/^"(?:[^"\\]|\\.)*"$/s);
      }),
    );
  });

  it("keep any number of hostile names and values inside their quotes", () => {
    fc.assert(
      fc.property(
        text,
        fc.array(text, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (key, values, exclude) => {
          const written = pillText({ field: quote(key), values, ...(exclude ? { exclude } : {}) });
          const outside = written.replace(/"(?:[^"\\]|\\.)*"/gs, "Q");
          const any = values.map(() => "Q:Q").join(" OR ");
          expect(outside).toBe((exclude ? "NOT " : "") + (values.length > 1 ? `(${any})` : any));
        },
      ),
    );
  });

  it("flip, join and leave the pipes at the end", () => {
    const pills = toggled(toggled([], "service", "api", false), "service", "web", false);
    expect(effectiveQuery("timeout | stats count()", pills)).toBe(
      '(timeout) (service:"api" OR service:"web") | stats count()',
    );
    expect(toggled(pills, "service", "api", true)).toEqual([
      { field: "service", values: ["web"] },
      { field: "service", values: ["api"], exclude: true },
    ]);
  });
});
