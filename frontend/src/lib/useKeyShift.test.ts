import { renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { useKeyShift } from "./useKeyShift";

/** The keys of the rows after each window. */
function keys(...windows: readonly (readonly [first: number, last: number])[]) {
  const { result, rerender } = renderHook(({ first, last }) => useKeyShift(first, last), {
    initialProps: { first: windows[0]?.[0] ?? 0, last: windows[0]?.[1] ?? 0 },
  });
  return windows.map(([first, last]) => {
    rerender({ first, last });
    return [first + result.current, last + result.current];
  });
}

test("a row that stays in sight keeps its key", () => {
  expect(keys([0, 9], [4, 13], [9, 18], [2, 11])).toEqual([
    [0, 9],
    [4, 13],
    [9, 18],
    [2, 11],
  ]);
});

test("rows that replace all others take over their keys", () => {
  expect(keys([10, 19], [500, 509], [502, 511], [0, 9])).toEqual([
    [10, 19],
    [10, 19],
    [12, 21],
    [12, 21],
  ]);
});

test("a list that was empty begins with keys of its own", () => {
  expect(keys([0, -1], [0, 9])).toEqual([
    [0, -1],
    [0, 9],
  ]);
});
