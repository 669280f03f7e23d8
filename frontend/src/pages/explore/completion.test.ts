import { expect, it } from "vitest";
import { filterBefore, spotAt } from "./completion";

const spot = (marked: string) => spotAt(marked.replace("^", ""), marked.indexOf("^"));

it("offers fields where a term begins", () => {
  expect(spot("^")).toEqual({ kind: "field", from: 0, prefix: "", inPipe: false });
  expect(spot("level:error ser^")).toEqual({ kind: "field", from: 12, prefix: "ser", inPipe: false });
  expect(spot("-(ser^")).toEqual({ kind: "field", from: 2, prefix: "ser", inPipe: false });
  expect(spot("-ser^")).toEqual({ kind: "field", from: 1, prefix: "ser", inPipe: false });
});

it("offers values after the colon, past operators and opening quotes", () => {
  expect(spot("service:ch^")).toEqual({ kind: "value", field: "service", from: 8, prefix: "ch" });
  expect(spot("level:>=^")).toEqual({ kind: "value", field: "level", from: 8, prefix: "" });
  expect(spot('service:"my s^')).toEqual({ kind: "value", field: "service", from: 8, prefix: "my s" });
  expect(spot('"a b":x^')).toEqual({ kind: "value", field: '"a b"', from: 6, prefix: "x" });
  expect(spot("k8s.pod.name:^")).toEqual({ kind: "value", field: "k8s.pod.name", from: 13, prefix: "" });
});

it("knows the field of values in parentheses", () => {
  expect(spot("service:(api OR w^")).toEqual({ kind: "value", field: "service", from: 16, prefix: "w" });
  expect(spot("service:(api OR web) l^")).toEqual({ kind: "field", from: 21, prefix: "l", inPipe: false });
});

it("offers pipes after a bar, then fields and functions", () => {
  expect(spot("level:error | st^")).toEqual({ kind: "pipe", from: 14, prefix: "st" });
  expect(spot("* | stats count() by ser^")).toEqual({ kind: "field", from: 21, prefix: "ser", inPipe: true });
  expect(spot("* | stats avg(dur^")).toEqual({ kind: "field", from: 14, prefix: "dur", inPipe: true });
  expect(spot("* | sort -n^")).toEqual({ kind: "field", from: 10, prefix: "n", inPipe: true });
});

it("stays quiet inside texts and regular expressions", () => {
  expect(spot('"connection ref^')).toBeNull();
  expect(spot("/time(d )?^")).toBeNull();
  expect(spot("path:/^\\/api^".replace("^", "x"))).toBeNull();
  expect(spot('service:"api"^')).toBeNull();
  expect(spot("status:[400 TO^")?.kind).not.toBe("value");
});

it("counts values among what the terms before let through, where those are whole", () => {
  expect(filterBefore("level:error service:", 20)).toBe("level:error");
  expect(filterBefore('"a (" (b OR c) service:', 23)).toBe('"a (" (b OR c)');
  expect(filterBefore("level:error OR service:", 23)).toBe("");
  expect(filterBefore("(level:error service:", 21)).toBe("");
  expect(filterBefore("service:(api OR w", 16)).toBe("");
});
