import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sparkPaths } from "./sparkline";

describe("sparkPaths", () => {
  it("draws from zero up, the newest at the right edge", () => {
    expect(sparkPaths([0, 5, 10]).line).toBe("M0 100L50 50L100 0");
  });

  it("leaves the left empty when the series has not filled its slots", () => {
    expect(sparkPaths([4, 4], 5).line).toBe("M75 0L100 0");
  });

  it("breaks at a gap and keeps a lonely number as a dot", () => {
    expect(sparkPaths([2, null, 2]).line).toBe("M0 0h0.01M100 0h0.01");
  });

  it("stays flat on the ground when all are zero", () => {
    expect(sparkPaths([0, 0]).line).toBe("M0 100L100 100");
  });

  it("never leaves its box", () => {
    const number = fc.option(fc.double({ min: 0, max: 1e12, noNaN: true }), { nil: null });
    fc.assert(
      fc.property(fc.array(number, { maxLength: 80 }), fc.integer({ min: 0, max: 90 }), (series, slots) => {
        const { line, area } = sparkPaths(series, slots);
        for (const one of `${line} ${area}`.match(/-?[\d.]+(?:e[+-]?\d+)?/g) ?? []) {
          expect(Number(one)).toBeGreaterThanOrEqual(0);
          expect(Number(one)).toBeLessThanOrEqual(100);
        }
      }),
    );
  });
});
