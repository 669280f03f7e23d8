/** Whether a query stops in the middle of something: it is not sent while it is still being typed. */

const OPEN: Readonly<Record<string, string>> = { "(": ")", "[": "]}", "{": "]}" };

export function unfinished(text: string): boolean {
  const closers: string[] = [];
  let quoted = "";
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? "";
    if (char === "\\" && quoted) i += 1;
    else if (quoted) quoted = char === quoted ? "" : quoted;
    else if (char === '"' || (char === "/" && /(^|[\s:(-])$/.test(text.slice(Math.max(0, i - 1), i)))) {
      quoted = beginsRegex(text, i) || char === '"' ? char : "";
    } else if (OPEN[char]) closers.push(OPEN[char]);
    else if (closers.at(-1)?.includes(char)) closers.pop();
  }
  if (quoted || closers.length > 0) return true;
  return /(?:[:|,]|:[<>]=?|(?:^|[\s(])(?:AND|OR|NOT|-)|\bby)$/.test(text.trimEnd());
}

/** `/api/v1` is a text; a regular expression has its end, or a sign that none but it would have. */
const beginsRegex = (text: string, at: number): boolean =>
  /[\\^$*+?()[\]{}|]/.test(/^\/\S*/.exec(text.slice(at))?.[0] ?? "");
