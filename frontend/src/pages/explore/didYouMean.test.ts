import fc from "fast-check";
import { expect, it } from "vitest";
import { editDistance } from "@/lib/editDistance";
import { corrected, didYouMean } from "./didYouMean";

const known = ["host.name", "http.status_code", "user.id", "duration_ms", "level", '"a b"'];
const meant = (query: string) => didYouMean(query, known).map((one) => one.meant);

it("finds names that nearly are a field", () => {
  expect(meant("sevice:api")).toEqual(["service"]);
  expect(meant("duration_sm:>5 levle:error")).toEqual(["duration_ms", "level"]);
  expect(meant("status_code:500")).toEqual(["http.status_code"]);
  expect(meant("hostname:a")).toEqual(["host.name"]);
  expect(meant("-(usr.id:7 OR x)")).toEqual(["user.id"]);
});

it("is silent about fields that are known, far from any, or no fields", () => {
  for (const query of [
    "level:error service:api",
    "msg:x traceId:y",
    '"a b":c',
    "attributes.duration_ms:>5",
    "completely_different:1",
    'message "levle:" /sevice:x/',
    "see http://example.com/x",
  ]) {
    expect(meant(query), query).toEqual([]);
  }
  expect(didYouMean("sevice:api", [])).toEqual([]);
});

it("puts what was meant in its place", () => {
  const query = "timeout sevice:api (levle:x)";
  const [first, second] = didYouMean(query, known);
  expect(first && corrected(query, first)).toBe("timeout service:api (levle:x)");
  expect(second && corrected(query, second)).toBe("timeout sevice:api (level:x)");
});

it("counts edits as people make them", () => {
  expect(editDistance("levle", "level", 3)).toBe(1);
  expect(editDistance("", "ab", 3)).toBe(2);
  expect(editDistance("abc", "xyzabc", 2)).toBe(3);
  fc.assert(
    fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
      expect(editDistance(a, a, 9)).toBe(0);
      expect(editDistance(a, b, 99)).toBe(editDistance(b, a, 99));
    }),
    { numRuns: 60 },
  );
});
