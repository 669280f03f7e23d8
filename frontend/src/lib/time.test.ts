import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  absolute,
  age,
  durationMs,
  durationText,
  rangeLabel,
  resolveMs,
  shifted,
  showTimestamp,
  zoomed,
} from "@/lib/time";

const NOW = Date.parse("2026-11-23T14:34:18.000Z");

describe("points in time", () => {
  it("resolves relative times against the given now", () => {
    expect(resolveMs("now", NOW)).toBe(NOW);
    expect(resolveMs("now-1h30m", NOW)).toBe(NOW - 5.4e6);
    expect(resolveMs("now+2d", NOW)).toBe(NOW + 1.728e8);
  });

  it("tells epoch units apart by magnitude", () => {
    for (const text of ["1795444458", "1795444458000", "1795444458000000", "1795444458000000000"])
      expect(resolveMs(text, 0)).toBe(1795444458000);
  });

  it("reads a time without a zone as UTC, as the server does", () => {
    expect(resolveMs("2026-11-23 14:34:18,5", NOW)).toBe(NOW + 500);
  });

  it("refuses what is no time", () => {
    for (const text of ["", "soon", "now-", "now-5", "now*2h", "2026-99-01"])
      expect(resolveMs(text, NOW)).toBeNull();
    for (const text of ["", "5", "m", "5m ", "5m-3s"]) expect(durationMs(text)).toBeNull();
  });
});

describe("moving a range", () => {
  const hour = { from: "2026-11-23T10:00:00.000Z", to: "2026-11-23T11:00:00.000Z" };

  it("shifts by its own width", () => {
    expect(shifted(hour, -1, NOW)).toEqual({
      from: "2026-11-23T09:00:00.000Z",
      to: "2026-11-23T10:00:00.000Z",
    });
  });

  it("zooms out around the middle, never beyond now", () => {
    expect(zoomed(hour, 2, NOW)).toEqual({
      from: "2026-11-23T09:30:00.000Z",
      to: "2026-11-23T11:30:00.000Z",
    });
    const late = { from: "2026-11-23T14:00:00.000Z", to: "2026-11-23T14:30:00.000Z" };
    expect(zoomed(late, 4, NOW)).toEqual(absolute({ from: "now-2h", to: "now" }, NOW));
  });

  it("keeps what lives living, and lets live again what reaches now", () => {
    expect(zoomed({ from: "now-15m", to: "now" }, 2, NOW)).toEqual({ from: "now-30m", to: "now" });
    expect(shifted({ from: "now-1h", to: "now" }, 1, NOW)).toEqual({ from: "now-1h", to: "now" });
    const before = shifted({ from: "now-1h30m", to: "now" }, -1, NOW);
    expect(shifted(before, 1, NOW)).toEqual({ from: "now-1h30m", to: "now" });
  });

  it("writes durations that read as the same", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e8 }), (s) => {
        expect(durationMs(durationText(s * 1e3))).toBe(s * 1e3);
      }),
    );
  });
});

describe("a range's name", () => {
  it.each([
    [{ from: "now-15m", to: "now" }, "Last 15 minutes"],
    [{ from: "now-90m", to: "now" }, "Last 90m"],
    [{ from: "2026-11-23T10:00:00Z", to: "2026-11-23T11:00:05.123Z" }, "2026-11-23 11:00 → 12:00:05"],
    [{ from: "2026-11-23T22:30:00Z", to: "2026-11-23T23:30:00Z" }, "2026-11-23 23:30 → 2026-11-24 00:30"],
    [{ from: "1795444458000", to: "now" }, "2026-11-23 15:34:18 → now"],
  ])("is in the zone that is shown", (range, label) => {
    expect(rangeLabel(range, "Europe/Berlin")).toBe(label);
  });
});

describe("showing a timestamp", () => {
  it("keeps every digit of the nanoseconds", () => {
    const shown = showTimestamp("2026-11-23T14:34:18.123456789Z", "UTC", { date: true, digits: 9 });
    expect(shown).toBe("2026-11-23 14:34:18.123456789");
  });

  it("converts the whole seconds to the zone", () => {
    const shown = showTimestamp("2026-11-23T23:34:18Z", "Asia/Kolkata", { date: true, digits: 3 });
    expect(shown).toBe("2026-11-24 05:04:18.000");
  });

  it("never invents or drops a digit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999 }), (ns) => {
        const fraction = String(ns).padStart(9, "0");
        const shown = showTimestamp(`2026-11-23T14:34:18.${fraction}Z`, "UTC", { date: false, digits: 9 });
        expect(shown).toBe(`14:34:18.${fraction}`);
      }),
    );
  });

  it("says how long ago", () => {
    expect(age("2026-11-23T14:31:18Z", NOW)).toBe("3 min ago");
    expect(age("2026-11-23T14:34:28Z", NOW)).toBe("in 10 s");
  });
});
