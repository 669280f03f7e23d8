import { expect, it } from "vitest";
import type { SavedView } from "@/lib/views";
import { grouped } from "@/pages/explore/signalChips";

const signal = (name: string, group = "", id = "a"): SavedView => ({
  id,
  kind: "signal",
  name,
  group,
  search: "",
  query: `q:${name}`,
  version: 1,
});

it("shows signals group by group, those of the address too, each once", () => {
  const views = [
    signal("b", "G"),
    signal("a"),
    signal("c", "G", "my-1"),
    { ...signal("v"), kind: "view" as const },
  ];
  const on = [
    { n: "a", q: "q:a" },
    { n: "gone", q: "q:gone", g: "G" },
  ];
  const names = grouped(views, on).map(({ name, chips }) => [name, chips.map((chip) => chip.signal.n)]);
  expect(names).toEqual([
    ["", ["a"]],
    ["G", ["b", "c", "gone"]],
  ]);
  expect(grouped([], [])).toEqual([]);
});
