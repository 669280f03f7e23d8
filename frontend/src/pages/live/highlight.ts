/**
 * Terms coloured in place, by the browser's own highlights: the rows' text stays one piece, to be
 * selected, copied and replaced cheaply.
 */

export const MOST_TERMS = 5;

/** Where each term is in a text, ASCII case aside: pairs of start and end. */
export function found(text: string, term: string): readonly (readonly [number, number])[] {
  if (term === "") return [];
  const lower = lowered(text);
  const wanted = lowered(term);
  const places: [number, number][] = [];
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + wanted.length)) {
    places.push([at, at + wanted.length]);
  }
  return places;
}

// toLowerCase can change the length of a text (İ): then the places would be wrong.
function lowered(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

export const highlightName = (term: number): string => `term-${term}`;

/** What is coloured, by the list it is in: the browser's highlights are the whole page's. */
const painted = new Map<HTMLElement, readonly StaticRange[][]>();

/** Colour the terms in the texts below `root`; what was coloured before is no more. */
export function paint(root: HTMLElement, terms: readonly string[]): void {
  // Firefox before 140 has none: nothing is coloured, everything else works.
  if (typeof Highlight === "undefined") return;
  const ranges = terms.map((): StaticRange[] => []);
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = terms.length > 0 ? texts.nextNode() : null; node; node = texts.nextNode()) {
    const text = node.nodeValue ?? "";
    for (const [i, term] of terms.entries()) {
      for (const [start, end] of found(text, term)) {
        ranges[i]?.push(
          new StaticRange({ startContainer: node, startOffset: start, endContainer: node, endOffset: end }),
        );
      }
    }
  }
  for (const other of painted.keys()) if (!other.isConnected) painted.delete(other);
  painted.set(root, ranges);
  for (let i = 0; i < MOST_TERMS; i += 1) {
    const of = [...painted.values()].flatMap((each) => each[i] ?? []);
    if (of.length > 0) CSS.highlights.set(highlightName(i), new Highlight(...of));
    else CSS.highlights.delete(highlightName(i));
  }
}
