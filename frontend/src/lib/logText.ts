/**
 * What a log's message may show: colours that were meant for a terminal become the theme's own,
 * every other escape sequence goes, and characters that would hide or reorder text become visible.
 */

/** A theme role, or a colour of one's own (256 and true colour). */
export type TextColour = "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "mute" | `#${string}`;

export interface TextStyle {
  readonly colour?: TextColour;
  readonly background?: TextColour;
  readonly bold?: true;
  readonly dim?: true;
  readonly italic?: true;
  readonly underline?: true;
  readonly strike?: true;
  readonly inverse?: true;
}

export interface TextSpan {
  readonly text: string;
  readonly style: TextStyle;
  /** The text stands for a character that would not have been seen. */
  readonly placeholder?: true;
}

const PLAIN: TextStyle = {};

const SUSPECT = new RegExp(
  `[${[
    String.raw`\u0000-\u0008\u000b-\u001f\u007f-\u009f`, // C0 without tab and newline, DEL, C1
    String.raw`\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u3164\ufeff\uffa0`, // no width
    String.raw`\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f`, // separators, direction
    String.raw`\ufff9-\ufffb\u{e0000}-\u{e007f}`, // annotations, tags
  ].join("")}]`,
  "u",
);
const ESCAPE = new RegExp(
  [
    String.raw`(?:\u001b\[|\u009b)([0-?]*)[ -/]*([@-~])`, // CSI … letter
    // OSC, DCS, SOS, PM and APC, up to their end.
    String.raw`(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?`,
    String.raw`\u001b[ -/]*[0-~]?`, // two characters, or one cut off
  ].join("|"),
  "g",
);

/** The spans of a text; a text without anything special is one span. */
export function logSpans(text: string): readonly TextSpan[] {
  if (!SUSPECT.test(text)) return [{ text, style: PLAIN }];
  const spans: TextSpan[] = [];
  let style = PLAIN;
  let from = 0;
  for (const match of text.matchAll(ESCAPE)) {
    pushVisible(spans, text.slice(from, match.index), style);
    from = match.index + match[0].length;
    if (match[2] === "m") style = afterSgr(style, match[1] ?? "");
  }
  pushVisible(spans, text.slice(from), style);
  return spans.length > 0 ? spans : [{ text: "", style: PLAIN }];
}

/** The text alone, without colours: what is copied and compared. */
export function plainText(text: string): string {
  return SUSPECT.test(text) ? text.replace(ESCAPE, "") : text;
}

function pushVisible(spans: TextSpan[], text: string, style: TextStyle): void {
  let plain = "";
  const flush = () => {
    if (plain) spans.push({ text: plain, style });
    plain = "";
  };
  const chars = [...text.replaceAll("\r\n", "\n")];
  for (const [i, char] of chars.entries()) {
    if (!SUSPECT.test(char) || joinsLetters(char, chars[i - 1], chars[i + 1])) {
      plain += char;
      continue;
    }
    flush();
    spans.push({ text: standIn(char), style, placeholder: true });
  }
  flush();
}

/** Joiners are part of some scripts and of emoji: they hide nothing between characters beyond ASCII. */
function joinsLetters(char: string, before: string | undefined, after: string | undefined): boolean {
  const beyond = (one: string | undefined) => one !== undefined && one > "\u00bf" && !SUSPECT.test(one);
  return (char === "\u200c" || char === "\u200d") && beyond(before) && beyond(after);
}

function standIn(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  // As terminals write them; every font has these.
  if (code < 0x20) return `^${String.fromCodePoint(0x40 + code)}`;
  if (code === 0x7f) return "^?";
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

const NAMED: readonly TextColour[] = ["mute", "red", "green", "yellow", "blue", "magenta", "cyan", "mute"];

type Mutable = { -readonly [K in keyof TextStyle]: TextStyle[K] };

function afterSgr(style: TextStyle, parameters: string): TextStyle {
  // With colons a colour may name its space, mostly as nothing: 38:2::255:0:0.
  const plain = parameters.replace(/([34]8:2):\d*:(?=\d+:\d+:\d+)/g, "$1:");
  const codes = plain.split(/[;:]/).map((one) => (one === "" ? 0 : Number(one)));
  let next: Mutable = { ...style };
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(i + 1));
      i += used;
      if (colour) next[code === 38 ? "colour" : "background"] = colour;
    } else next = code === 0 ? {} : applied(next, code);
  }
  return next;
}

function applied(style: Mutable, code: number): Mutable {
  const all = { ...style };
  const named = NAMED[code % 10];
  if (code === 1) all.bold = true;
  else if (code === 2) all.dim = true;
  else if (code === 3) all.italic = true;
  else if (code === 4 || code === 21) all.underline = true;
  else if (code === 7) all.inverse = true;
  else if (code === 9) all.strike = true;
  else if (code === 22) return without(all, "bold", "dim");
  else if (code === 23) return without(all, "italic");
  else if (code === 24) return without(all, "underline");
  else if (code === 27) return without(all, "inverse");
  else if (code === 29) return without(all, "strike");
  else if (code === 39) return without(all, "colour");
  else if (code === 49) return without(all, "background");
  // White and black are the theme's ink and panel: only the six hues and bright black say something.
  else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
    if (code % 10 === 7 || code === 30) return without(all, "colour");
    if (named) all.colour = named;
  } else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) {
    if (named) all.background = named;
  }
  return all;
}

function without(style: Mutable, ...names: readonly (keyof TextStyle)[]): Mutable {
  for (const name of names) delete style[name];
  return style;
}

/** The colour after 38 or 48, and how many numbers it took. */
function extended(codes: readonly number[]): readonly [TextColour | null, number] {
  if (codes[0] === 2) return [hex(codes[1] ?? 0, codes[2] ?? 0, codes[3] ?? 0), 4];
  if (codes[0] !== 5) return [null, 0];
  const index = codes[1] ?? 0;
  if (index < 16) return [NAMED[index % 8] ?? null, 2];
  if (index < 232) {
    const level = (part: number) => (part === 0 ? 0 : 55 + part * 40);
    const cube = index - 16;
    return [hex(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)), 2];
  }
  const grey = 8 + (index - 232) * 10;
  return index < 256 ? [hex(grey, grey, grey), 2] : [null, 2];
}

function hex(red: number, green: number, blue: number): TextColour {
  const two = (part: number) =>
    Math.min(255, Math.max(0, Math.trunc(part) || 0))
      .toString(16)
      .padStart(2, "0");
  return `#${two(red)}${two(green)}${two(blue)}`;
}
