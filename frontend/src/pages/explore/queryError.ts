/** From the API's line and column to a place in the text. */

/** The place (UTF-16) of a line and column (from 1, in code points); `null`: none was named. */
export function offsetOf(text: string, line: number | undefined, column: number | undefined): number | null {
  if (!line || !column) return null;
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const points = [...(lines[line - 1] ?? "")].slice(0, column - 1);
  return Math.min(text.length, before + points.join("").length);
}
