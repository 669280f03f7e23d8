/** Which signals are on offer, group by group; those of the address too that nobody keeps. */
import { type Signal, sameSignal } from "@/lib/signals";
import { isMine, type SavedView } from "@/lib/views";

export interface Chip {
  readonly signal: Signal;
  readonly mine: boolean;
}

export interface ChipGroup {
  /** Empty: each stands alone. */
  readonly name: string;
  readonly chips: readonly Chip[];
}

export function grouped(views: readonly SavedView[], on: readonly Signal[]): readonly ChipGroup[] {
  const chips: Chip[] = [];
  const add = (signal: Signal, mine: boolean) => {
    if (!chips.some((chip) => sameSignal(chip.signal, signal))) chips.push({ signal, mine });
  };
  for (const view of views) {
    if (view.kind === "signal") {
      add({ n: view.name, q: view.query, ...(view.group ? { g: view.group } : {}) }, isMine(view));
    }
  }
  for (const signal of on) add(signal, false);
  const names = [...new Set(chips.map(({ signal }) => signal.g ?? ""))].toSorted();
  return names.map((name) => ({ name, chips: chips.filter(({ signal }) => (signal.g ?? "") === name) }));
}
