import { expect, it } from "vitest";
import { timeTicks } from "@/charts/timeTicks";

const at = (text: string) => Date.parse(text);
const texts = (from: string, to: string, zone: string, most = 6) =>
  timeTicks(at(from), at(to), zone, most).map(({ text }) => text);

it("puts ticks at round times of the zone", () => {
  const [from, to] = ["2026-01-31T12:01:00Z", "2026-01-31T12:16:00Z"];
  expect(texts(from, to, "UTC")).toEqual(["12:05", "12:10", "12:15"]);
  expect(texts(from, to, "Asia/Kathmandu")).toEqual(["17:50", "17:55", "18:00"]);
  expect(texts(from, "2026-01-31T12:01:20Z", "UTC", 4)).toEqual([
    "12:01:00",
    "12:01:05",
    "12:01:10",
    "12:01:15",
    "12:01:20",
  ]);
});

it("says the date where a day begins, which is the zone's", () => {
  const [from, to] = ["2026-01-30T20:00:00Z", "2026-02-01T02:00:00Z"];
  expect(texts(from, to, "Europe/Berlin")).toEqual(["01-31", "06:00", "12:00", "18:00", "02-01"]);
  expect(texts(from, "2026-03-02T00:00:00Z", "UTC")).toEqual(["02-05", "02-12", "02-19", "02-26"]);
});
