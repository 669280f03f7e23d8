import { describe, expect, it } from "vitest";
import {
  type Advice,
  fullIn,
  oneWriteFor,
  panelLabel,
  perSecond,
  reasonLabel,
  severityOf,
  windowS,
} from "./pipeline";

const NOW = Date.parse("2026-01-31T12:00:00Z");
const advice = (severity: Advice["severity"], panel: string): Advice => ({
  severity,
  panel,
  message: "",
  change: "",
});

describe("severityOf", () => {
  const warnings = [advice("info", "queue"), advice("critical", "queue"), advice("warning", "batch")];

  it("is the gravest of a panel's warnings", () => {
    expect(severityOf(warnings, ["queue"])).toBe("critical");
    expect(severityOf(warnings, ["batch", "database"])).toBe("warning");
  });

  it("is nothing where nothing is wrong", () => {
    expect(severityOf(warnings, ["storage"])).toBeNull();
  });
});

describe("windowS", () => {
  it("is as wide as the page's range, within what is kept", () => {
    expect(windowS({ from: "now-15m", to: "now" }, NOW)).toBe(900);
    expect(windowS({ from: "now-7d", to: "now" }, NOW)).toBe(3_600);
    expect(windowS({ from: "now-1s", to: "now" }, NOW)).toBe(10);
    expect(windowS({ from: "2026-01-31T11:00:00Z", to: "2026-01-31T11:05:00Z" }, NOW)).toBe(300);
  });
});

describe("words", () => {
  it("say reasons in English, unknown ones as they are", () => {
    expect(reasonLabel("bad_json")).toBe("not JSON");
    expect(reasonLabel("store_unavailable")).toBe("store unavailable");
    expect(reasonLabel("")).toBe("unnamed");
    expect(panelLabel("storage")).toBe("Storage");
  });

  it("say what batching saves as one write for so many", () => {
    expect(oneWriteFor(0.995)).toBe("1 write for 200 records");
    expect(oneWriteFor(null)).toBe("–");
    expect(oneWriteFor(1)).toBe("–");
  });

  it("do not threaten with a far future", () => {
    expect(fullIn(null)).toBe("not growing");
    expect(fullIn(3_600)).toBe("60 min");
    expect(fullIn(9e9)).toBe("over a month");
    expect(perSecond(null)).toBe("–");
    expect(perSecond(153.7)).toBe("153.7");
  });
});
