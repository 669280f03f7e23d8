import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bars, categoryAt, edgesOf, plotOf, stackAt } from "@/charts/bars";

const wide = (text: string) => text.length * 6;
const bars = (values: readonly number[], more: Partial<Bars> = {}): Bars => ({
  labels: values.map((_, i) => `b${i}`),
  series: [{ fill: "--fill-info", values }],
  splits: 2,
  ...more,
});
const ticks = (made: Bars) => plotOf(made, 600, 100, wide).ticks.map(({ text }) => text);

describe("the value axis", () => {
  it("has round ticks, from nothing to the highest bar or just above", () => {
    expect(ticks(bars([72_000]))).toEqual(["0", "30K", "60K", "90K"]);
    expect(ticks(bars([0.05]))).toEqual(["0", "0.02", "0.04", "0.06"]);
    expect(ticks(bars([-4, 8]))).toEqual(["-4", "0", "4", "8"]);
  });

  it("counts in whole ones, also when there is nothing", () => {
    expect(ticks(bars([1], { counts: true }))).toEqual(["0", "1"]);
    expect(ticks(bars([0, 0], { counts: true }))).toEqual(["0", "1"]);
    expect(ticks(bars([], { counts: true }))).toEqual(["0", "1"]);
  });
});

describe("the names", () => {
  it("stand far enough apart to be read", () => {
    const { names } = plotOf(bars(Array.from({ length: 90 }, () => 1)), 600, 100, wide);
    for (const [i, { x, text }] of names.entries()) {
      const before = names[i - 1];
      if (before) expect(x - before.x).toBeGreaterThan(wide(text));
    }
  });

  it("are cut to their bar's width where every bar has one", () => {
    const labels = ["checkout", "a service with a long name", "x"];
    const { names, band } = plotOf(bars([1, 2, 3], { labels, named: true }), 300, 100, wide);
    expect(names.map(({ text }) => text)).toEqual(["checkout", "a service wi…", "x"]);
    for (const { text } of names) expect(wide(text)).toBeLessThan(band);
  });
});

it("stacks the series on each other, and leaves out what has no height", () => {
  const series = [
    { fill: "a", values: [2] },
    { fill: "b", values: [0] },
    { fill: "c", values: [3] },
  ];
  const made = bars([0], { series });
  const plot = plotOf(made, 200, 100, wide);
  const [low, high] = stackAt(made, plot, 0);
  expect([low?.fill, high?.fill]).toEqual(["a", "c"]);
  expect((low?.y ?? 0) + (low?.height ?? 0)).toBeCloseTo(plot.y(0));
  expect((high?.y ?? 0) + (high?.height ?? 0)).toBeCloseTo(low?.y ?? 0);
  expect(high?.y).toBeCloseTo(plot.y(5));
});

it("keeps every bar within its category and the chart, whatever the values and the width", () => {
  const values = fc.array(fc.double({ min: -1e12, max: 1e12, noNaN: true }), {
    minLength: 1,
    maxLength: 150,
  });
  fc.assert(
    fc.property(values, fc.integer({ min: 300, max: 2_000 }), (each, width) => {
      const made = bars(each);
      const plot = plotOf(made, width, 100, wide);
      for (const at of each.keys()) {
        const { left, right } = edgesOf(plot, at, at);
        for (const bar of stackAt(made, plot, at)) {
          expect(bar.x).toBeGreaterThanOrEqual(left - 1);
          expect(bar.x + bar.width).toBeLessThanOrEqual(right + 1.5);
          expect(bar.y).toBeGreaterThanOrEqual(plot.top - 1e-6);
          expect(bar.y + bar.height).toBeLessThanOrEqual(plot.bottom + 1e-6);
        }
        expect(categoryAt(plot, each.length, (left + right) / 2)).toBe(at);
      }
      expect(categoryAt(plot, each.length, -50)).toBe(0);
      expect(categoryAt(plot, each.length, width + 50)).toBe(each.length - 1);
    }),
    { numRuns: 100 },
  );
});
