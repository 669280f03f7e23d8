import { expect, it } from "vitest";
import { bucketsRange, bucketsWithin, type HistogramAnswer } from "@/charts/histogram";

const answer: HistogramAnswer = {
  from: "2026-01-31T12:00:05Z",
  to: "2026-01-31T12:00:35Z",
  interval_s: 10,
  by: "level",
  values: ["info"],
  total: 4,
  buckets: [0, 10, 20, 30].map((second) => ({
    start: `2026-01-31T12:00:${String(second).padStart(2, "0")}Z`,
    total: 1,
    counts: { info: 1 },
    partial: second === 0 || second === 30,
  })),
};

it("goes from buckets to a range and back", () => {
  const range = bucketsRange(answer, 1, 2);
  expect(range).toEqual({ from: "2026-01-31T12:00:10.000Z", to: "2026-01-31T12:00:30.000Z" });
  expect(range && bucketsWithin(answer, range)).toEqual([1, 2]);
});

it("marks every bucket that has a part of the range, and none beside it", () => {
  expect(bucketsWithin(answer, { from: "2026-01-31T12:00:19Z", to: "2026-01-31T12:00:20.5Z" })).toEqual([
    1, 2,
  ]);
  expect(bucketsWithin(answer, { from: "2026-01-31T11:00:00Z", to: "2026-01-31T13:00:00Z" })).toEqual([0, 3]);
  expect(bucketsWithin(answer, { from: "2026-01-31T13:00:00Z", to: "2026-01-31T14:00:00Z" })).toBeUndefined();
});
