import { expect, it } from "vitest";
import { offsetOf } from "./queryError";

it("finds the place of a line and column, also after characters beyond 16 bits", () => {
  expect(offsetOf("level:>=fatl", 1, 9)).toBe(8);
  expect(offsetOf("a\nb | stat", 2, 5)).toBe(6);
  expect(offsetOf("😀 x", 1, 3)).toBe(3);
  expect(offsetOf("a", 1, 9)).toBe(1);
  expect(offsetOf("a", undefined, undefined)).toBeNull();
});
