/** Writing any name and value into a query so that the parser reads exactly it. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be escaped
const NEEDS_ESCAPE = /["\\\u0000-\u001f\u007f\u0085\u2028\u2029]/g;
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\t": "\\t",
  "\r": "\\r",
};
const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`;
const BARE = "[A-Za-z_][A-Za-z0-9_.@$/-]*|[@$][A-Za-z0-9_.@$/-]+";
const WRITTEN = new RegExp(
  `^(?:${BARE}|${QUOTED}|(?:attributes|resource|scope_attributes)\\.${QUOTED})$`,
  "s",
);
const BARE_NAME = new RegExp(`^(?:${BARE})$`);

/** The value in double quotes. */
export function quote(value: string): string {
  return `"${value.replace(NEEDS_ESCAPE, (c) => SHORT[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;
}

/** What a quoted text means. */
export function unquote(literal: string): string {
  const letters: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "0": "\0" };
  return literal
    .slice(1, -1)
    .replace(/\\(?:u([0-9A-Fa-f]{4})|(.))/gs, (_, code?: string, letter = "") =>
      code ? String.fromCharCode(Number.parseInt(code, 16)) : (letters[letter] ?? letter),
    );
}

/** Whether the text can stand in a query as a name without quotes. */
export const isBareName = (text: string): boolean => BARE_NAME.test(text);

/**
 * A field as a query writes it. The API and `fieldNames.ts` give names written so already
 * (`service`, `"a b"`, `resource."a b"`); any other text is quoted: the attribute of that key.
 */
export function fieldName(name: string): string {
  return WRITTEN.test(name) ? name : quote(name);
}
