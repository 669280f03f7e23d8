/** JSON inside a text, set out in lines; anything else as it is. */
export function prettyMessage(message: string): string {
  const parsed = jsonInside(message);
  return parsed === undefined ? message : JSON.stringify(parsed, null, 2);
}

/** The object or list that a text is; `undefined`: it is none. */
export function jsonInside(text: string): object | undefined {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed) || trimmed.length > 200_000) return undefined;
  try {
    const parsed: unknown = JSON.parse(trimmed);
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    return undefined; // only looks like JSON
  }
}
