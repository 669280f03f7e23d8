import { expect, it } from "vitest";
import { type Counted, differences } from "./differences";

const counted = (field: string, counts: Readonly<Record<string, number>>): Counted => ({
  field,
  values: Object.entries(counts).map(([value, count]) => ({ value, count })),
});
const totals = { inside: 100, outside: 1_000 };
const most = { limit: 3, shown: 2 };

it("ranks fields by the value whose share differs most", () => {
  const found = differences(
    [counted("host", { a: 80, b: 20 }), counted("status", { "500": 90, "200": 10 })],
    [counted("host", { a: 520, b: 480 }), counted("status", { "200": 990, "500": 10 })],
    totals,
    most,
  );
  expect(found.map((one) => one.field)).toEqual(["status", "host"]);
  expect(found[0]?.values[0]).toEqual({ value: "500", inside: 0.9, outside: 0.01 });
  expect(found[0]?.most).toBeCloseTo(0.89);
});

it("says nothing of fields that are as they were", () => {
  const same = { a: 50, b: 50 };
  const before = { a: 500, b: 500 };
  expect(differences([counted("host", same)], [counted("host", before)], totals, most)).toEqual([]);
  // Five of a hundred more or less is chance.
  const nearly = { a: 55, b: 45 };
  expect(differences([counted("host", nearly)], [counted("host", before)], totals, most)).toEqual([]);
});

it("claims no difference for a value that a full list may just have left out", () => {
  const ids = { x: 2, y: 2, z: 2 };
  const others = { p: 20, q: 20, r: 20 };
  expect(differences([counted("id", ids)], [counted("id", others)], totals, most)).toEqual([]);
});

it("knows values that occur on one side alone", () => {
  const [only] = differences([counted("v", { new: 40 })], [], totals, most);
  expect(only).toEqual({ field: "v", most: 0.4, values: [{ value: "new", inside: 0.4, outside: 0 }] });
  expect(differences([counted("v", { new: 0 })], [], { inside: 0, outside: 0 }, most)).toEqual([]);
});
