/** Columns as the palette offers them. */
import type { Offer } from "@/app/offers";
import { fieldLabel } from "@/lib/fieldNames";
import { FIXED } from "@/pages/explore/useExplore";

export const COLUMNS = "Columns";

/** Those that are shown first: they can be taken away; then those that can be added. */
export function columnOffers(
  fields: readonly { readonly name: string }[],
  columns: readonly string[],
  turn: (field: string) => void,
): readonly Offer[] {
  const others = fields.map(({ name }) => name).filter((name) => !FIXED.has(name) && !columns.includes(name));
  const offer = (what: string) => (name: string) => ({
    what: `${what} column: ${fieldLabel(name)}`,
    group: COLUMNS,
    run: () => turn(name),
  });
  return [...columns.map(offer("Remove")), ...others.map(offer("Add"))];
}
