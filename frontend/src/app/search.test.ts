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
    };
    expect(exploreSearch(search)).toEqual(search);
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
        fc.dictionary(fc.constantFrom("from", "to", "tz", "q", "f", "cols", "row"), fc.jsonValue()),
        (raw) => {
          const once = exploreSearch(raw);
          expect(exploreSearch({ ...once })).toEqual(once);
          expect(sharedSearch({ ...sharedSearch(raw) })).toEqual(sharedSearch(raw));
        },
      ),
    );
  });
});
