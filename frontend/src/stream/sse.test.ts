import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ServerEvent, sseParser } from "./sse";

const parsed = (parts: readonly string[]): ServerEvent[] => {
  const parse = sseParser();
  return parts.flatMap((part) => [...parse(part)]);
};

describe("sseParser", () => {
  it("reads name, id and data, and keeps the id for events without one", () => {
    expect(parsed(["id: a.1.0\nevent: rows\ndata: {}\n\nevent: status\ndata: {\n", "data: }\n\n"])).toEqual([
      { name: "rows", data: "{}", id: "a.1.0" },
      { name: "status", data: "{\n}", id: "a.1.0" },
    ]);
  });

  it("passes over comments, unknown fields and events without data", () => {
    expect(parsed([": hello\n\nfoo: bar\nevent: x\n\ndata\n\n"])).toEqual([
      { name: "message", data: "", id: "" },
    ]);
  });

  it("tells how soon to come back", () => {
    let retry = 0;
    sseParser((ms) => {
      retry = ms;
    })("retry: 2000\n\nretry: soon\n");
    expect(retry).toBe(2000);
  });

  it("gives no event before its blank line came", () => {
    expect(parsed(["data: half\n"])).toEqual([]);
  });

  it("reads the same however the text is cut, with any line ending", () => {
    const text = fc.string({ unit: fc.constantFrom("a", ":", " ", "{", '"', "é", "🙂") });
    const events = fc.array(
      fc.record({ name: fc.constantFrom("rows", "status"), data: text, id: fc.constantFrom("1", "x.2.3") }),
    );
    fc.assert(
      fc.property(
        events,
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.array(fc.nat(), { maxLength: 20 }),
        (sent, end, cuts) => {
          const whole = sent
            .map(({ name, data, id }) => [`id: ${id}`, `event: ${name}`, `data: ${data}`, "", ""].join(end))
            .join("");
          const at = cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b);
          const parts = [...at, whole.length].map((to, i) => whole.slice(at[i - 1] ?? 0, to));
          // A last lone \r waits for what follows it.
          expect(parsed([...parts, ": end\n"])).toEqual(sent);
        },
      ),
      { numRuns: 200 },
    );
  });
});
