import { describe, expect, it } from "vitest";
import { signals, toggledSignal, withSignals } from "@/lib/signals";

const ERRORS = { n: "Errors", q: "level:error", g: "Severity" };
const WARNINGS = { n: "Warnings", q: "level:warn", g: "Severity" };
const PAYMENTS = { n: "Payments", q: "service:payment OR service:billing" };

describe("withSignals", () => {
  it("joins groups by AND and what is in one by OR, each filter in parentheses", () => {
    expect(withSignals("timeout", [ERRORS, PAYMENTS, WARNINGS])).toBe(
      "(timeout) ((level:error) OR (level:warn)) (service:payment OR service:billing)",
    );
  });

  it("leaves two without a group apart", () => {
    expect(withSignals("", [PAYMENTS, { n: "Slow", q: "took:>1s" }])).toBe(
      "(service:payment OR service:billing) (took:>1s)",
    );
  });

  it("leaves pipes at the end, and a query without signals alone", () => {
    expect(withSignals("a | stats count()", [ERRORS])).toBe("(a) (level:error) | stats count()");
    expect(withSignals("a | stats count()")).toBe("a | stats count()");
  });
});

describe("toggledSignal", () => {
  it("switches on, and off again", () => {
    const on = toggledSignal([ERRORS], PAYMENTS);
    expect(on).toEqual([ERRORS, PAYMENTS]);
    expect(toggledSignal(on, { ...ERRORS })).toEqual([PAYMENTS]);
  });
});

describe("signals of an address", () => {
  it("are those that make sense", () => {
    expect(signals([ERRORS, PAYMENTS, { n: "x" }, { n: "x", q: " " }, 7, null, { n: 1, q: "a" }])).toEqual([
      ERRORS,
      PAYMENTS,
    ]);
    expect(signals("x")).toBeUndefined();
    expect(signals([])).toBeUndefined();
  });
});
