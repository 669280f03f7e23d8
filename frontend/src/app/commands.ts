/** What the palette offers: pages and actions by their shortcuts, and the last queries. */
import type { Shortcut } from "@/app/keys";
import type { Offer } from "@/app/offers";

export interface Command {
  readonly id: string;
  readonly what: string;
  readonly group: string;
  readonly keys?: string;
  readonly run: () => void;
  /** Stays open with this typed, instead of running. */
  readonly fill?: string;
}

const RECENT = 8;
const MOST_SHOWN = 100;
export const RECENT_GROUP = "Recent searches";

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
    group: RECENT_GROUP,
    run: () => search(query),
  }));
  const isPage = (command: Command) => command.group === "Go to";
  return [...actions.filter(isPage), ...recent, ...actions.filter((command) => !isPage(command))];
}

/** What a page offers beside its shortcuts. Columns may be thousands: they wait to be typed. */
export function offered(offers: readonly Offer[]): { shown: readonly Command[]; typed: readonly Command[] } {
  const commands = offers.map((offer, i) => ({ id: `offer ${i} ${offer.what}`, ...offer }));
  const typed = commands.filter((command) => command.group === "Columns");
  const columns = ["Add column: ", "Remove column: "]
    .filter((fill) => typed.some((command) => command.what.startsWith(fill)))
    .map((fill) => ({ id: fill, what: `${fill.slice(0, -2)}…`, group: "Columns", fill, run: () => {} }));
  return { shown: [...commands.filter((command) => command.group !== "Columns"), ...columns], typed };
}

/** As `matching`, of those that are always shown and, once something is typed, of the others. */
export function found(
  shown: readonly Command[],
  others: readonly Command[],
  typed: string,
): readonly Command[] {
  return typed.trim() ? matching([...shown, ...others], typed).slice(0, MOST_SHOWN) : shown;
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
