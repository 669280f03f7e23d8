import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterClearing, effectiveQuery, type Pill, ranged, splitPipes, toggled } from "@/lib/filters";
import { quote } from "@/lib/quote";

describe("pills and the query's text", () => {
  it("are joined by AND, before the pipes", () => {
    const pills: Pill[] = [
      { field: "service", values: ["api"] },
      { field: "host", values: ["a b", "c"], exclude: true },
      { field: "off", values: ["x"], off: true },
    ];
    expect(effectiveQuery("a OR b | stats count()", pills)).toBe(
      '(a OR b) service:"api" NOT (host:"a b" OR host:"c") | stats count()',
    );
    expect(effectiveQuery("*", pills.slice(0, 1))).toBe('service:"api"');
    expect(effectiveQuery("timeout", [])).toBe("timeout");
  });

  it("finds the pipes outside quotes and regular expressions only", () => {
    expect(splitPipes('a "b|c" | top 3 x')).toEqual(['a "b|c" ', "| top 3 x"]);
    expect(splitPipes("/a|b/ | limit 1")).toEqual(["/a|b/ ", "| limit 1"]);
    expect(splitPipes('"\\"|" x')).toEqual(['"\\"|" x', ""]);
  });

  it("toggle: the same again takes it away, the opposite flips it", () => {
    const one = toggled([], "host", "a", false);
    expect(one).toEqual([{ field: "host", values: ["a"] }]);
    expect(toggled(one, "host", "a", false)).toEqual([]);
    expect(toggled(one, "host", "a", true)).toEqual([{ field: "host", values: ["a"], exclude: true }]);
    expect(toggled(one, "host", "b", false)).toEqual([{ field: "host", values: ["a", "b"] }]);
  });

  it("a range of numbers is one pill a field, and values beside it stay their own", () => {
    const one = ranged([{ field: "ms", values: ["7"] }], "ms", [1.5, 20]);
    expect(effectiveQuery("", one)).toBe('ms:"7" ms:[1.5 TO 20]');
    expect(toggled(one, "ms", "7", false)).toEqual([{ field: "ms", values: [], range: [1.5, 20] }]);
    expect(ranged(one, "ms", null)).toEqual([{ field: "ms", values: ["7"] }]);
    expect(effectiveQuery("", [{ field: "ms", values: [], range: [0, 1], exclude: true }])).toBe(
      "NOT ms:[0 TO 1]",
    );
  });

  it("pinned ones stay when filters are cleared", () => {
    const pinned: Pill = { field: "host", values: ["a"], pinned: true };
    expect(afterClearing([{ field: "x", values: ["1"] }, pinned])).toEqual([pinned]);
  });

  it("a quoted value reads back as itself, whatever it is made of", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const inside = quote(value).slice(1, -1);
        const read = inside.replace(
          /\\(?:u([0-9a-f]{4})|(.))/gs,
          (_, code: string | undefined, letter: string) =>
            code
              ? String.fromCharCode(Number.parseInt(code, 16))
              : ({ n: "\n", t: "\t", r: "\r" }[letter] ?? letter),
        );
        expect(read).toBe(value);
        expect(/(^|[^\\])(\\\\)*"/.test(inside)).toBe(false);
      }),
    );
  });
});
