import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { patternsSearch } from "@/app/search";
import {
  changeText,
  foundText,
  keyOf,
  mainLevel,
  narrowed,
  nextSort,
  noiseOf,
  type Pattern,
  type PatternsAnswer,
  shareText,
  sorted,
  sortOf,
} from "./patterns";

const made = (over: Partial<Pattern>): Pattern => ({
  template: "a <num>",
  parts: [],
  tokens: [],
  filter: "/^a \\d+$/",
  count: 10,
  sampled: 10,
  share: 0.1,
  levels: { info: 10 },
  services: [],
  first_seen: "2026-01-31T12:00:00.000000000Z",
  last_seen: "2026-01-31T12:05:00.000000000Z",
  series: [],
  previous: 10,
  change: 0,
  new: false,
  example: "a 1",
  ...over,
});

describe("order", () => {
  const few = made({ template: "few", count: 1, change: 3 });
  const many = made({ template: "many", count: 9, change: -0.5 });
  const fresh = made({ template: "fresh", count: 5, change: null, new: true });
  const names = (sort: string | undefined) => sorted([few, many, fresh], sort).map((one) => one.template);

  it("begins with the commonest", () => {
    expect(names(undefined)).toEqual(["many", "fresh", "few"]);
    expect(names("count")).toEqual(["few", "fresh", "many"]);
  });

  it("takes what is new for the largest change", () => {
    expect(names("-change")).toEqual(["fresh", "few", "many"]);
  });

  it("falls back to the commonest for an unknown column", () => {
    expect(sortOf("-nothing")).toEqual({ key: "count", down: true });
  });

  it("turns round when the same column is pressed again", () => {
    expect(nextSort(undefined, "change")).toBe("-change");
    expect(nextSort("-change", "change")).toBe("change");
    expect(nextSort("count", "count")).toBeUndefined();
    expect(nextSort(undefined, "count")).toBe("count");
  });
});

describe("queries", () => {
  it("adds a filter to what was typed", () => {
    expect(narrowed("", ["/^a$/"], false)).toBe("/^a$/");
    expect(narrowed("*", ["/^a$/", "/^b$/"], true)).toBe("NOT /^a$/ NOT /^b$/");
    expect(narrowed("level:error", ["/^a$/"], true)).toBe("level:error NOT /^a$/");
  });

  it("puts alternatives in parentheses, and leaves pipes out", () => {
    expect(narrowed("a OR b | stats count()", ["/^c$/"], false)).toBe("(a OR b) /^c$/");
  });
});

describe("noise", () => {
  const info = (count: number) => made({ count, share: count / 100, levels: { info: count } });

  it("is the few quiet patterns that are much of the volume", () => {
    const patterns = [info(30), info(20), ...Array.from({ length: 12 }, () => info(2))];
    const noise = noiseOf(patterns);
    expect(noise?.patterns).toHaveLength(5);
    expect(noise?.share).toBeCloseTo(0.56);
  });

  it("is not errors, and not all there is", () => {
    const errors = Array.from({ length: 12 }, () => made({ share: 0.2, levels: { error: 9 } }));
    expect(noiseOf(errors)).toBeNull();
    expect(noiseOf([info(60), info(40)])).toBeNull();
  });
});

describe("words", () => {
  it("tells the change", () => {
    expect(changeText(made({ change: 0.25 }))).toBe("▲ 25 %");
    expect(changeText(made({ change: -0.031 }))).toBe("▼ 3.1 %");
    expect(changeText(made({ change: 41 }))).toBe("▲ ×42");
    expect(changeText(made({ change: 0 }))).toBe("±0");
    expect(changeText(made({ change: null }))).toBe("");
  });

  it("never rounds something to nothing", () => {
    expect(shareText(0.00002)).toBe("<0.1 %");
    expect(shareText(0)).toBe("0.0 %");
  });

  it("names the level of most records", () => {
    expect(mainLevel(made({ levels: { info: 3, error: 7 } }))).toBe("error");
    expect(mainLevel(made({ levels: {} }))).toBe("");
  });

  it("says what was looked at, and what is an estimate", () => {
    const answer = { patterns: [made({})], matched: 5_000_000, sampled: 10_000, exact: true };
    expect(foundText(answer as unknown as PatternsAnswer)).toBe(
      "1 pattern in 5,000,000 records · found by looking at 10,000 · every record counted",
    );
    expect(foundText({ ...answer, exact: false } as unknown as PatternsAnswer)).toContain("estimates");
  });
});

it("keeps in the address what the page understands", () => {
  const raw = { q: 404, sort: "-change", open: "1x", drawer: 9, from: "now-1h", cols: ["a"] };
  expect(patternsSearch(raw)).toEqual({ q: "404", sort: "-change", open: "1x", from: "now-1h" });
});

it("gives the same short key for the same filter, whatever it holds", () => {
  fc.assert(
    fc.property(fc.string(), (filter) => {
      expect(keyOf({ filter })).toMatch(/^[0-9a-z]{1,7}$/);
      expect(keyOf({ filter })).toBe(keyOf({ filter }));
    }),
  );
});
