/** The six levels: name, one letter (so that colour is never the only sign), shape. */

export const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;
export type Level = (typeof LEVELS)[number];

export const LEVEL_TEXT: Readonly<Record<string, string>> = {
  fatal: "text-fatal",
  error: "text-error",
  warn: "text-warn",
  info: "text-info",
  debug: "text-debug",
  trace: "text-trace",
};

/** A chart fill's CSS variable; charts read it through `getComputedStyle`. */
export function levelFill(level: string): string {
  return level === "" || level === "other" ? "--fill-trace" : `--fill-${level}`;
}

export function levelLabel(level: string): string {
  return level === "" ? "—" : level.toUpperCase();
}
