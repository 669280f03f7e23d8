import { describe, expect, it } from "vitest";
import { changeOf, TILES, typedQuery } from "./tiles";
import { everyS } from "./useOverview";

const shown = (name: string, value: number) => TILES.find((one) => one.name === name)?.show(value);

describe("tiles", () => {
  it("show numbers in the unit people think in", () => {
    expect(shown("logs_per_s", 3.64)).toBe("3.6");
    expect(shown("logs_per_s", 0.0011)).toBe("0.001");
    expect(shown("logs_per_s", 12_345)).toBe("12.3K");
    expect(shown("error_rate", 0)).toBe("0.0 %");
    expect(shown("error_rate", 0.0012)).toBe("0.12 %");
    expect(shown("searchable_p50_s", 0.42)).toBe("420 ms");
  });

  it("never round savings up to all", () => {
    expect(shown("writes_saved", 0.999_99)).toBe("99.99 %");
  });
});

const changed = (change: number | null, better?: "up" | "down") =>
  changeOf({ change, previous: null }, better);

describe("changeOf", () => {
  it("says direction and size", () => {
    expect(changed(0.123)).toEqual({ text: "▲ 12 %", tone: "plain" });
    expect(changed(-0.03)).toEqual({ text: "▼ 3.0 %", tone: "plain" });
    expect(changed(0.001).text).toBe("unchanged");
    expect(changed(null).text).toBe("nothing before");
    expect(changeOf({ change: null, previous: 0 }).text).toBe("");
    expect(changed(24).text).toBe("▲ ×25");
  });

  it("colours by what is good news, and small changes not at all", () => {
    expect(changed(0.5, "down").tone).toBe("bad");
    expect(changed(-0.5, "down").tone).toBe("good");
    expect(changed(0.5, "up").tone).toBe("good");
    expect(changed(0.04, "down").tone).toBe("plain");
  });
});

describe("typedQuery", () => {
  it("leaves out a star that says nothing", () => {
    expect(typedQuery("*")).toBe("");
    expect(typedQuery("* level:>=error")).toBe("level:>=error");
    expect(typedQuery("* | stats count() by service")).toBe("* | stats count() by service");
  });
});

describe("everyS", () => {
  it("is every second for short ranges and rarer for wide ones", () => {
    expect(everyS({ from: "now-5m", to: "now" })).toBe(1);
    expect(everyS({ from: "now-3h", to: "now" })).toBe(12);
    expect(everyS({ from: "now-30d", to: "now" })).toBe(30);
    expect(everyS({ from: "2026-01-01T00:00:00Z", to: "now" })).toBe(4);
  });
});
