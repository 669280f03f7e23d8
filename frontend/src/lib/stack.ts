/**
 * Stack traces inside a text: which lines are frames, and which of these are a library's. Knows the
 * traces of Python, Java, JavaScript, .NET, Go, Ruby, PHP and Rust by how their lines look.
 */

export interface Piece {
  readonly text: string;
  readonly frame: "app" | "library" | null;
}

/** Something folded, or to be shown as it is (`frames` is then 0). */
export interface Part {
  readonly text: string;
  readonly frames: number;
}

const LIKELY = /\n[^\S\n]*(?:at |File "|from \S+:\d|#\d+ |\d+: +\S+::|\.\.\. \d+ )|\.go:\d+|\.rb:\d+:in /;
const FRAME = [
  /^\s*File ".+", line \d+/, // Python
  /^\s*\.\.\. \d+ (?:more|common frames omitted)/, // Java
  /^\s*(?:from )?\S+:\d+:in [`'"]/, // Ruby
  /^#\d+ /, // PHP
  /^\s*\d+:\s+(?:0x[0-9a-f]+ - )?\S*::\S+/, // Rust
];
const GO_PLACE = /^\t\S+\.go:\d+/;
/** A line that belongs to the frame above it: its code, a marker below that, a place. */
const FOLLOWS = [/^\s{4,}\S/, GO_PLACE, /^\s+at \S+:\d+(?::\d+)?$/];
const LIBRARY =
  /site-packages|dist-packages|\/lib\/python\d|<frozen |node_modules|node:|\(internal\/|\bat (?:async )?(?:java|javax|jakarta|jdk|sun|kotlin|scala|groovy|reactor|System|Microsoft)\.|\bat com\.(?:sun|fasterxml|zaxxer)\.|\bat org\.(?:springframework|apache|hibernate|junit|eclipse|jboss|gradle|slf4j)\.|\bat io\.(?:netty|micrometer|undertow|vertx|reactivex)\.|\/go\/src\/|\/pkg\/mod\/|^runtime\.|\/gems\/|\/lib\/ruby\/|\/vendor\/|\/rustc\/|\.cargo\/registry|(?:^|\s)(?:std|core|alloc|tokio)::|^\s*\.\.\. \d+ /m;

/** Beyond these nothing is looked for: a log may hold anything. */
const [LONGEST, LONGEST_LINE] = [200_000, 2_000];

/** The pieces of a text that has a stack trace; `null`: it has none. */
export function stackPieces(text: string): readonly Piece[] | null {
  if (text.length > LONGEST || !LIKELY.test(text)) return null;
  const pieces: Piece[] = [];
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i += 1) {
    if (!beginsFrame(lines[i] ?? "", lines[i + 1] ?? "")) {
      pieces.push({ text: lines[i] ?? "", frame: null });
      continue;
    }
    const from = i;
    while (i + 1 < lines.length && follows(lines[i + 1] ?? "")) i += 1;
    const frame = lines.slice(from, i + 1).join("\n");
    pieces.push({ text: frame, frame: LIBRARY.test(frame) ? "library" : "app" });
  }
  return pieces.filter((piece) => piece.frame).length > 1 ? pieces : null;
}

function beginsFrame(line: string, next: string): boolean {
  if (line.length > LONGEST_LINE) return false;
  // Java, JavaScript, .NET: a place in parentheses or a number is at the end.
  if (/^\s*at\s+\S/.test(line)) return /[)\d>\]]$/.test(line.trimEnd());
  // Go: the call, and on the next line its place.
  if (GO_PLACE.test(next)) return /^\S/.test(line) && (line.endsWith(")") || line.startsWith("created by "));
  return FRAME.some((one) => one.test(line));
}

const follows = (line: string): boolean =>
  line.length <= LONGEST_LINE && FOLLOWS.some((one) => one.test(line)) && !beginsFrame(line, "");

/** The application's frames open, runs of a library's folded. */
export function foldedStack(pieces: readonly Piece[]): readonly Part[] {
  const parts: Part[] = [];
  for (let i = 0; i < pieces.length; ) {
    const library = pieces[i]?.frame === "library";
    const from = i;
    while (i < pieces.length && (pieces[i]?.frame === "library") === library) i += 1;
    const frames = library ? i - from : 0;
    const text = pieces
      .slice(from, i)
      .map((piece) => piece.text)
      .join("\n");
    const last = parts.at(-1);
    // One frame alone is as short as what would stand for it.
    if (frames < 2 && last && last.frames === 0)
      parts[parts.length - 1] = { text: `${last.text}\n${text}`, frames: 0 };
    else parts.push({ text, frames: frames < 2 ? 0 : frames });
  }
  return parts;
}

/** What a trace says without its frames, on one line. */
export function stackInBrief(pieces: readonly Piece[]): string {
  const frames = pieces.filter((piece) => piece.frame).length;
  const said = pieces
    .filter((piece) => !piece.frame && piece.text.trim() !== "")
    .map((piece) => piece.text.trim());
  return `${said.join(" ↵ ")} ⋯ ${frames} frames`;
}

/** Line breaks and tabs that were written out, as what they stand for. */
export const realBreaks = (text: string): string =>
  text.replace(/(?<!\\)(?:\\r)?\\n/g, "\n").replace(/(?<!\\)\\t/g, "\t");
