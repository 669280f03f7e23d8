/** Keys for the rows of a list of which only those in sight are in the page. */
import { useRef } from "react";

/**
 * What to add to a row's index for its key. A row that stays in sight keeps its key, and with it
 * its elements (and a selection in them). When none of them stays, the new rows get the keys of
 * the old ones: changing their text costs a fraction of making new elements.
 */
export function useKeyShift(first: number, last: number): number {
  const before = useRef({ first, last, shift: 0 });
  const old = before.current;
  const shift = first > old.last || last < old.first ? old.shift + old.first - first : old.shift;
  before.current = { first, last, shift };
  return shift;
}
