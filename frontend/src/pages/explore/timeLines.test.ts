import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { columnsOf, type TableRow } from "@/pages/explore/tableRows";
import { linesOf, MOST_LINES, type TimeLines } from "@/pages/explore/timeLines";

const START_MS = Date.parse("2026-01-31T12:00:00Z");
const minute = (index: number) => new Date(START_MS + index * 60_000).toISOString().replace(".000", "");
const asked = (query: string, bins = 4) => ({
  query,
  from_ms: START_MS + 5_000,
  to_ms: START_MS + (bins - 1) * 60_000 + 5_000,
});
const made = (rows: readonly TableRow[], query: string, wanted?: string) =>
  linesOf(rows, columnsOf(rows), asked(query), wanted);
const drawn = (lines: TimeLines | null) =>
  Object.fromEntries((lines?.lines ?? []).map(({ label, values }) => [label, values]));

describe("lines over time", () => {
  const byService = [
    { service: "api", "bin(1m)": minute(0), "count()": 2 },
    { service: "api", "bin(1m)": minute(2), "count()": 3 },
    { service: null, "bin(1m)": minute(1), "count()": 9 },
  ];

  it("are one for each group, over the whole range, and counts are 0 where nothing was", () => {
    const lines = made(byService, "* | stats count() by service, bin(1m)");
    expect(lines).toMatchObject({ first_ms: START_MS, bin_ms: 60_000, bins: 4, leftOut: 0 });
    expect(lines?.title).toBe("count() by service");
    expect(drawn(lines)).toEqual({ "—": [0, 9, 0, 0], api: [2, 0, 3, 0] });
    expect(lines?.lines.map(({ fill }) => fill)).toEqual(["--series-1", "--series-2"]);
  });

  it("are one for each function where there is no group, with gaps in what is measured", () => {
    const rows = [
      { t: minute(0), "p95(took)": 1.5, n: 2 },
      { t: minute(1), "p95(took)": null, n: 1 },
      { t: minute(3), "p95(took)": 2, n: 1 },
    ];
    const lines = made(rows, "level:error | stats p95(took), count() as n by bin(1m) as t | sort -n");
    expect(drawn(lines)).toEqual({ "p95(took)": [1.5, null, null, 2], n: [2, 1, 0, 1] });
    expect(lines?.lines.map(({ label, counted }) => [label, counted])).toEqual([
      ["n", true],
      ["p95(took)", false],
    ]);
  });

  it("are those of the wanted function where there are groups too", () => {
    const rows = byService.map((row) => ({ ...row, slow: 0.5 }));
    const query = "* | stats count(), avg(took) slow by service, bin(1m)";
    expect(made(rows, query)?.columns).toEqual(["count()"]);
    expect(drawn(made(rows, query, "slow"))).toEqual({
      api: [0.5, null, 0.5, null],
      "—": [null, 0.5, null, null],
    });
  });

  it("have the levels' own colours and order", () => {
    const rows = ["info", "error"].map((level) => ({ level, "bin(1m)": minute(0), n: level.length }));
    const lines = made(rows, "* | stats count() n by level, bin(1m)")?.lines;
    expect(lines?.map(({ label, fill }) => [label, fill])).toEqual([
      ["ERROR", "--fill-error"],
      ["INFO", "--fill-info"],
    ]);
  });

  it("take a group that looks like a number for a group", () => {
    const rows = [9, 17].map((severity_number) => ({ severity_number, "bin(1m)": minute(0), n: 1 }));
    const lines = made(rows, "* | stats count() n by severity_number, bin(1m)");
    expect(lines?.lines.map(({ label }) => label)).toEqual(["9", "17"]);
  });

  it("say nothing of bins that a limit may have left out", () => {
    const query = "* | stats count() by service, bin(1m) | limit 3";
    expect(drawn(made(byService, query))).toEqual({
      "—": [null, 9, null, null],
      api: [2, null, 3, null],
    });
  });

  it("are none without a time, without numbers, or with two numbers for one place", () => {
    const query = "* | stats count() n by service, bin(1m)";
    expect(made([{ service: "api", n: 1 }], query)).toBeNull();
    expect(made([{ service: "api", "bin(1m)": minute(0) }], query)).toBeNull();
    expect(made([], query)).toBeNull();
    expect(made(byService, 'text:"bin(1m)"')).toBeNull();
    const twice = [1, 2].map((n) => ({ "bin(1m)": minute(0), n }));
    expect(made(twice, query)).toBeNull();
  });

  it("begin and end with the rows where the range has too many bins", () => {
    const wide = { ...asked("* | stats count() by service, bin(1m)"), from_ms: 0 };
    const lines = linesOf(byService, columnsOf(byService), wide);
    expect(lines).toMatchObject({ first_ms: START_MS, bins: 3 });
  });
});

it("draws every number of the table at one place, unless its line was left out", () => {
  const cell = fc.record({
    group: fc.constantFrom(...Array.from({ length: 20 }, (_, i) => `g${i}`), null),
    bin: fc.integer({ min: 0, max: 30 }),
    value: fc.option(fc.double({ min: 1e-3, max: 1e6, noNaN: true })),
  });
  const cells = fc.uniqueArray(cell, {
    selector: ({ group, bin }) => `${group} ${bin}`,
    minLength: 1,
    maxLength: 120,
  });
  fc.assert(
    fc.property(cells, fc.constantFrom("avg(x)", "count()"), (each, column) => {
      fc.pre(each.some(({ value }) => value !== null));
      const rows = each.map(({ group, bin, value }) => ({
        group,
        "bin(1m)": minute(bin),
        [column]: value,
      }));
      const lines = linesOf(rows, columnsOf(rows), asked(`* | stats ${column} by group, bin(1m)`));
      if (!lines) throw new Error("nothing is drawn");
      const groups = new Set(each.map(({ group }) => group));
      // Where nobody has a group it is not named.
      const label = (group: string | null) => (groups.size === 1 && group === null ? column : (group ?? "—"));
      const shown = new Map(lines.lines.map((line) => [line.label, line.values]));
      expect(shown.size).toBe(lines.lines.length);
      expect(shown.size).toBe(Math.min(MOST_LINES, groups.size));
      expect(lines.leftOut).toBe(groups.size - shown.size);
      for (const { group, bin, value } of each) {
        const line = shown.get(label(group));
        const at = (START_MS + bin * 60_000 - lines.first_ms) / lines.bin_ms;
        if (line && value !== null) expect(line[at]).toBe(value);
      }
      const numbers = each.filter(({ group, value }) => value !== null && shown.has(label(group)));
      const points = lines.lines.flatMap(({ values }) => values.filter((value) => value));
      expect(points.length).toBe(numbers.length);
    }),
    { numRuns: 200 },
  );
});
