/** How far two words are apart: letters put in, left out, exchanged, or two of them swapped. */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const other = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + other);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    if (Math.min(...row) > most) return most + 1;
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}

/** The word nearest to what was written, where one is near: a third of its letters may be wrong. */
export function closest(written: string, words: readonly string[]): string | null {
  if (written.length < 3 || written.length > 60) return null;
  const typed = written.toLowerCase();
  let best: string | null = null;
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const word of words) {
    const candidate = word.toLowerCase();
    // The last part of a dotted name, or its parts joined otherwise, is what people remember.
    const distance =
      plain(candidate) === plain(typed) || candidate.endsWith(`.${typed}`)
        ? 0.5
        : editDistance(typed, candidate, least - 1);
    if (distance < least) [best, least] = [word, distance];
  }
  return best;
}

const plain = (name: string): string => name.replace(/[._-]/g, "");
