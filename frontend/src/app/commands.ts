/** What the palette offers: pages and actions by their shortcuts, and the last queries. */
import type { Shortcut } from "@/app/keys";

export interface Command {
  readonly id: string;
  readonly what: string;
  readonly group: string;
  readonly keys?: string;
  readonly run: () => void;
}

const RECENT = 8;

/** Pages first, then the newest queries, then what this page can do. */
export function commandsOf(
  shortcuts: readonly Shortcut[],
  queries: readonly string[],
  search: (query: string) => void,
): readonly Command[] {
  // Of two shortcuts with the same keys the later one works.
  const working = [...new Map(shortcuts.map((one) => [one.keys, one])).values()];
  const actions = working.map((one) => ({ id: `keys ${one.keys}`, ...one }));
  const recent = queries.slice(0, RECENT).map((query) => ({
    id: `query ${query}`,
    what: query,
    group: "Recent searches",
    run: () => search(query),
  }));
  const isPage = (command: Command) => command.group === "Go to";
  return [...actions.filter(isPage), ...recent, ...actions.filter((command) => !isPage(command))];
}

/** Those whose text has all the typed words; starts of words first, else in the given order. */
export function matching(commands: readonly Command[], typed: string): readonly Command[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return commands;
  const scored = commands.flatMap((command) => {
    const text = `${command.what} ${command.group}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) return [];
    const starts = words.filter((word) => text.startsWith(word) || text.includes(` ${word}`)).length;
    return [{ command, starts }];
  });
  return scored.toSorted((a, b) => b.starts - a.starts).map(({ command }) => command);
}
