import { describe, expect, it } from "vitest";
import type { ExploreSearch } from "@/app/search";
import { filterInForce, isModified, loadedSearch, replacedBy, viewSearch } from "@/lib/viewState";

const SHOWN: ExploreSearch = {
  q: "level:error",
  f: [{ field: "service", values: ["a&b=c"] }],
  cols: ["host.name"],
  wrap: "wrap",
  from: "now-1h",
  tz: "UTC",
  row: "1~2",
  view: "my-1",
};

describe("viewSearch", () => {
  it("keeps query, filters, columns and layout, and not where somebody stood", () => {
    const kept = viewSearch(SHOWN, false);
    expect(kept).not.toMatch(/row=|tz=|view=|from=/);
    expect(loadedSearch({}, kept, "x")).toEqual({
      q: "level:error",
      f: SHOWN.f,
      cols: ["host.name"],
      wrap: "wrap",
      view: "x",
    });
  });

  it("is what an address may hold, whatever is searched for", () => {
    const kept = viewSearch({ q: 'ä "b" #c\n\\ ?x=1' }, true);
    expect(kept).toMatch(/^[!-"$-~]*$/);
    expect(loadedSearch({}, kept, "x").q).toBe('ä "b" #c\n\\ ?x=1');
  });

  it("is the same in whatever order the state was made", () => {
    expect(viewSearch({ wrap: "wrap", q: "a" }, false)).toBe(viewSearch({ q: "a", wrap: "wrap" }, false));
  });
});

describe("the time range", () => {
  it("stays when the view has none, and is the view's when it has one", () => {
    const shown: ExploreSearch = { from: "now-2d", tz: "UTC" };
    expect(loadedSearch(shown, "q=a", "x")).toEqual({ from: "now-2d", tz: "UTC", q: "a", view: "x" });
    const hour = viewSearch({ q: "a", from: "now-1h" }, true);
    expect(loadedSearch(shown, hour, "x").from).toBe("now-1h");
  });

  it("may be the usual one, which addresses leave out", () => {
    const usual = viewSearch({ q: "a" }, true);
    expect(loadedSearch({ from: "now-2d" }, usual, "x")).toEqual({ q: "a", view: "x" });
    expect(isModified({ q: "a", from: "now-2d" }, usual)).toBe(true);
    expect(isModified({ q: "a" }, usual)).toBe(false);
  });
});

describe("isModified", () => {
  it("is about what the view keeps", () => {
    const kept = viewSearch(SHOWN, false);
    expect(isModified(SHOWN, kept)).toBe(false);
    expect(isModified({ ...SHOWN, row: "3~4", from: "now-5m" }, kept)).toBe(false);
    const { wrap: _, ...unwrapped } = SHOWN;
    expect(isModified(unwrapped, kept)).toBe(true);
    expect(isModified({ ...SHOWN, cols: ["host.name", "status"] }, kept)).toBe(true);
  });

  it("does not mind what a newer page added to the view", () => {
    expect(isModified({ q: "a" }, "q=a&newer=%5B1%5D")).toBe(false);
  });
});

it("takes away what the view says nothing of", () => {
  const change = replacedBy({ q: "a", sort: "n", row: "1~2" }, { id: "x", search: "cols=%5B%22b%22%5D" });
  expect(change).toEqual({ q: undefined, sort: undefined, row: undefined, cols: ["b"], view: "x" });
});

it("keeps of a search the filter alone for a signal", () => {
  const sig = [{ n: "E", q: "level:error" }];
  expect(filterInForce({ q: "a | stats count()", f: [{ field: "b", values: ["c"] }], sig })).toBe(
    '((a) b:"c") (level:error)',
  );
});
