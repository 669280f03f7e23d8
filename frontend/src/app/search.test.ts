import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exploreSearch, liveSearch, sharedSearch } from "@/app/search";

describe("the URL's state", () => {
  it("leaves defaults out", () => {
    expect(exploreSearch({ from: "now-15m", to: "now", tz: "local", q: "" })).toEqual({});
  });

  it("keeps what differs from them", () => {
    const search = {
      from: "now-1h",
      tz: "UTC",
      q: "level:error",
      f: [{ field: "host", values: ["a", "b"], exclude: true }],
      cols: ["host"],
      wrap: "json",
      dedup: "numbers",
      row: "2026-11-23T14:34:18Z~7",
      tab: "trace",
      drawer: 640,
      apart: ["host"],
      turned: ["service"],
      sort: "-n",
      bars: "hidden",
      part: "2026-11-23T14:00:00Z~2026-11-23T14:10:00Z",
      widths: { host: 24 },
      frac: 9,
      nl: "real",
      empty: "hidden",
    };
    expect(exploreSearch(search)).toEqual(search);
  });

  it("keeps ranges and pins of pills", () => {
    const f = [
      { field: "ms", values: [], range: [1, 2.5] },
      { field: "host", values: ["a"], pinned: true },
    ];
    expect(exploreSearch({ f })).toEqual({ f });
    expect(exploreSearch({ f: [{ field: "ms", values: [], range: [3, 2] }] })).toEqual({});
  });

  it("lets no width and no part of time through that is none", () => {
    const broken = { drawer: 9e9, widths: { a: 1e9, b: "3" }, part: "b~a", compare: "2026-01-01~2025-01-01" };
    expect(exploreSearch(broken)).toEqual({});
  });

  it("reads a query that looks like a number as text", () => {
    expect(liveSearch({ q: 404 })).toEqual({ q: "404" });
  });

  it("drops a broken value and keeps the others", () => {
    const broken = {
      from: 7,
      to: {},
      tz: "Nowhere/Land",
      q: [],
      f: [{ field: 1 }, 3],
      cols: "x",
      wrap: "no",
    };
    expect(exploreSearch({ ...broken, dedup: "exact" })).toEqual({ from: "7", dedup: "exact" });
  });

  it("reads anything without failing, and reading again changes nothing", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom("from", "to", "tz", "q", "f", "cols", "row", "drawer", "widths", "part"),
          fc.jsonValue(),
        ),
        (raw) => {
          const once = exploreSearch(raw);
          expect(exploreSearch({ ...once })).toEqual(once);
          expect(sharedSearch({ ...sharedSearch(raw) })).toEqual(sharedSearch(raw));
        },
      ),
    );
  });
});
