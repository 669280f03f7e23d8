import { expect, it } from "vitest";
import { columnsWidth, moved, widthOf, withWidth } from "./layout";

it("moves a column before another, or to the end", () => {
  const names = ["a", "b", "c"];
  expect(moved(names, "c", "a")).toEqual(["c", "a", "b"]);
  expect(moved(names, "a", null)).toEqual(["b", "c", "a"]);
  expect(moved(names, "a", "c")).toEqual(["b", "a", "c"]);
  expect(moved(names, "a", "a")).toBe(names);
  expect(moved(names, "x", "a")).toBe(names);
});

it("keeps only widths that differ from the first, within bounds", () => {
  expect(withWidth(undefined, "host", 30.4)).toEqual({ host: 30 });
  expect(withWidth({ host: 30 }, "host", 18)).toEqual({});
  expect(withWidth({ host: 30 }, "service", 1e9)).toEqual({ host: 30, service: 120 });
  expect(widthOf({ service: 20 }, "service")).toBe(20);
  expect(columnsWidth(["host"], { host: 30 })).toBe(15 + 2 + 30 + 2);
});
