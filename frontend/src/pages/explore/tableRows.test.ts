import { expect, it } from "vitest";
import { chartOf, columnsOf, orderAfter, orderOf, orderText, sortedRows } from "./tableRows";

const rows = [
  { service: "web-10", n: 2 },
  { service: "web-9", n: null },
  { service: null, n: 10 },
];

it("sorts numbers as numbers and puts nulls last in both directions", () => {
  expect(sortedRows(rows, { column: "n", down: true }).map((row) => row.n)).toEqual([10, 2, null]);
  expect(sortedRows(rows, { column: "n", down: false }).map((row) => row.n)).toEqual([2, 10, null]);
  expect(sortedRows(rows, { column: "service", down: false }).map((row) => row.service)).toEqual([
    "web-9",
    "web-10",
    null,
  ]);
  expect(sortedRows(rows, null)).toBe(rows);
});

it("draws the wanted numeric column or the first, and nothing of a single number", () => {
  const columns = columnsOf(rows);
  expect(columns).toEqual(["service", "n"]);
  expect(chartOf(rows, columns, 2)).toEqual({ column: "n", labels: ["web-10", "web-9"], values: [2, 0] });
  const two = rows.map((row) => ({ ...row, slow: 5 }));
  expect(chartOf(two, columnsOf(two), 2)?.column).toBe("n");
  expect(chartOf(two, columnsOf(two), 2, "slow")?.column).toBe("slow");
  expect(chartOf([{ n: 1 }], ["n"], 10)).toBeNull();
});

it("keeps an order as a text, and goes round: best direction, other, none", () => {
  const columns = ["service", "n", "-n"];
  const first = orderAfter(null, "n", true);
  expect(first).toEqual({ column: "n", down: true });
  expect(orderAfter(first, "n", true)).toEqual({ column: "n", down: false });
  expect(orderAfter(orderAfter(first, "n", true), "n", true)).toBeNull();
  for (const order of [first, null, { column: "service", down: false }]) {
    expect(orderOf(orderText(order), ["service", "n"])).toEqual(order);
  }
  expect(orderOf("-n", columns)).toEqual({ column: "-n", down: false });
  expect(orderOf("gone", columns)).toBeNull();
});
