import { describe, expect, it } from "vitest";
import { commandsOf, matching } from "./commands";
import type { Shortcut } from "./keys";

const shortcut = (keys: string, what: string, group: Shortcut["group"] = "Go to"): Shortcut => ({
  keys,
  what,
  group,
  run: () => {},
});

describe("commandsOf", () => {
  it("offers pages, recent queries and actions, each key once as the one that works", () => {
    const searched: string[] = [];
    const commands = commandsOf(
      [shortcut("g e", "Explore"), shortcut("w", "Old"), shortcut("w", "Wrap", "View")],
      ["level:error"],
      (query) => searched.push(query),
    );
    expect(commands.map((one) => one.what)).toEqual(["Explore", "level:error", "Wrap"]);
    commands[1]?.run();
    expect(searched).toEqual(["level:error"]);
  });
});

describe("matching", () => {
  const commands = commandsOf(
    [shortcut("g e", "Explore"), shortcut("d", "Choose the time range", "Time")],
    ["pool"],
    () => {},
  );

  it("is everything when nothing is typed", () => {
    expect(matching(commands, "  ")).toBe(commands);
  });

  it("wants every word, in any order and case", () => {
    expect(matching(commands, "RANGE time").map((one) => one.what)).toEqual(["Choose the time range"]);
    expect(matching(commands, "range nowhere")).toEqual([]);
  });

  it("puts what starts with the word before what only holds it", () => {
    const found = matching(
      commandsOf([shortcut("a", "Unwrap"), shortcut("b", "Wrap")], [], () => {}),
      "wrap",
    );
    expect(found.map((one) => one.what)).toEqual(["Wrap", "Unwrap"]);
  });
});
