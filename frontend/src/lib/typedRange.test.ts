import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveMs, showTimestamp } from "@/lib/time";
import { parseRange, zonedMs } from "@/lib/typedRange";

const NOW = Date.parse("2026-11-23T14:34:18.000Z");

describe("what people type into the picker", () => {
  it.each([
    ["15m", "now-15m", "now"],
    ["-2h", "now-2h", "now"],
    ["now-3d", "now-3d", "now"],
    ["today", "2026-11-23T00:00:00.000Z", "now"],
    ["yesterday", "2026-11-22T00:00:00.000Z", "2026-11-23T00:00:00.000Z"],
    ["yesterday 9-11", "2026-11-22T09:00:00.000Z", "2026-11-22T11:00:00.000Z"],
    ["Today 9:30 – 11", "2026-11-23T09:30:00.000Z", "2026-11-23T11:00:00.000Z"],
    ["8-24", "2026-11-23T08:00:00.000Z", "2026-11-24T00:00:00.000Z"],
    ["2026-11-20 22-2", "2026-11-20T22:00:00.000Z", "2026-11-21T02:00:00.000Z"],
    ["2026-11-20", "2026-11-20T00:00:00.000Z", "2026-11-21T00:00:00.000Z"],
    ["-2h to -1h", "now-2h", "now-1h"],
    ["2026-11-23 10:00 to 2026-11-23T11:00:00,5", "2026-11-23T10:00:00Z", "2026-11-23T11:00:00.5Z"],
    ["2026-11-23T14:00:00Z", "2026-11-23T13:59:30.000Z", "2026-11-23T14:00:30.000Z"],
    ["2026-11-23T15:00:00+01:00", "2026-11-23T13:59:30.000Z", "2026-11-23T14:00:30.000Z"],
    ["Mon, 23 Nov 2026 14:00:00 GMT", "2026-11-23T13:59:30.000Z", "2026-11-23T14:00:30.000Z"],
    ["1795442400", "2026-11-23T13:59:30.000Z", "2026-11-23T14:00:30.000Z"],
    ["1795442400000000000", "2026-11-23T13:59:30.000Z", "2026-11-23T14:00:30.000Z"],
  ])("%s", (typed, from, to) => {
    expect(parseRange(typed, NOW, "UTC")).toEqual({ from, to });
  });

  it.each([
    ["today", "2026-11-22T23:00:00.000Z", "now"],
    ["yesterday 9-11", "2026-11-22T08:00:00.000Z", "2026-11-22T10:00:00.000Z"],
    ["2026-07-01 09:00:00.123456789 to now", "2026-07-01T07:00:00.123456789Z", "now"],
    ["2026-11-23 15:00", "2026-11-23T13:59:30.000Z", "2026-11-23T14:00:30.000Z"],
  ])("in the zone that is shown: %s", (typed, from, to) => {
    expect(parseRange(typed, NOW, "Europe/Berlin")).toEqual({ from, to });
  });

  it("says when it is no range", () => {
    const wrong = ["", "now", "later", "a to b", "25-26", "9:77-11", "2026-13-40", "2026-02-30 9-10 x"];
    for (const text of wrong) expect(parseRange(text, NOW, "UTC")).toBeNull();
  });
});

it("finds the moment that a clock in the zone shows", () => {
  const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia");
  fc.assert(
    fc.property(zones, fc.integer({ min: 0, max: 2e9 }), (zone, second) => {
      const wall = showTimestamp(new Date(second * 1e3).toISOString(), zone, { date: true, digits: 0 });
      const found = zonedMs(wall.replace(" ", "T"), zone);
      const again = showTimestamp(new Date(found).toISOString(), zone, { date: true, digits: 0 });
      expect(again).toBe(wall);
      expect(resolveMs(new Date(found).toISOString(), 0)).toBe(found);
    }),
  );
});
