import fc from "fast-check";
import { expect, it } from "vitest";
import { byValue, facetOrder, shareOf, slideBounds } from "./facetOrder";

const fields = ["timestamp", "level", "http.method", "host.name", "user.id"].map((name, i) => ({
  name,
  count: 100 - i * 10,
}));

it("puts the host third, pinned fields next, and says nothing of time and level again", () => {
  const { host, pinned, others } = facetOrder(fields, ["user.id", "gone"]);
  expect(host?.name).toBe("host.name");
  expect(pinned.map((one) => one.name)).toEqual(["user.id"]);
  expect(others.map((one) => one.name)).toEqual(["http.method"]);
  expect(facetOrder([], ["x"])).toEqual({ host: undefined, pinned: [], others: [] });
});

it("knows the share of records that have a field", () => {
  expect(fields.map((field) => shareOf(field, fields))).toEqual([1, 0.9, 0.8, 0.7, 0.6]);
  expect(shareOf({ name: "x", count: 0 }, [])).toBe(0);
});

it("sorts numbers by size", () => {
  const values = ["10", "9", "-1", "x2", "x10"].map((value) => ({ value }));
  expect(byValue(values).map((one) => one.value)).toEqual(["-1", "9", "10", "x2", "x10"]);
});

it("gives a slider bounds that hold everything, in steps that are not too many", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
      (low, width) => {
        const { low: from, high: to, step } = slideBounds(low, low + width);
        // Around 1e9 neighbouring numbers are 1e-7 apart.
        const slack = step / 1e3 + (Math.abs(low) + width) * 1e-15;
        expect(from).toBeLessThanOrEqual(low + slack);
        expect(to).toBeGreaterThanOrEqual(low + width - slack);
        expect((to - from) / step).toBeLessThan(203);
      },
    ),
    { numRuns: 100 },
  );
  expect(slideBounds(200, 599)).toEqual({ low: 200, high: 600, step: 2 });
});
