/** A canvas knows no CSS variables: charts get the theme's colours as text, again at each change. */

export interface Colours {
  /** Any of the theme's variables: `--fill-error`, `--accent`. */
  readonly of: (variable: string) => string;
  readonly ink: string;
  readonly mute: string;
  readonly line: string;
  readonly accent: string;
  readonly fontFamily: string;
}

export function themeColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (variable: string) => style.getPropertyValue(variable).trim();
  return {
    of,
    ink: of("--ink"),
    mute: of("--mute"),
    line: of("--line"),
    accent: of("--accent"),
    fontFamily: getComputedStyle(document.body).fontFamily,
  };
}

/** Series that are no levels, in order of size; the last one is what is left over. */
const SERIES = [
  "--fill-info",
  "--fill-warn",
  "--fill-fatal",
  "--good",
  "--fill-error",
  "--info",
  "--warn",
  "--fatal",
];

export const seriesFill = (index: number): string => SERIES[index % SERIES.length] ?? "--fill-info";
