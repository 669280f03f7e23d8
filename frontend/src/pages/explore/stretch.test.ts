import { expect, it } from "vitest";
import { partOf, stretchOf, stretchText } from "./stretch";

const part = { from: "2026-01-31T12:00:00Z", to: "2026-01-31T12:05:00Z" };

it("is a text and back", () => {
  expect(stretchOf(stretchText(part))).toEqual(part);
  expect(stretchOf(undefined)).toBeNull();
});

it("counts only within the range that is shown", () => {
  const text = stretchText(part);
  expect(partOf(text, { from: "2026-01-31T11:00:00Z", to: "2026-01-31T12:01:00Z" })).toEqual(part);
  expect(partOf(text, { from: "2026-01-31T12:05:00Z", to: "2026-01-31T13:00:00Z" })).toBeNull();
  expect(partOf(text, { from: "1700000000", to: "1700003600" })).toBeNull();
});
