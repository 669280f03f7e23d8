/** A log's text as spans: terminal colours in the theme's, hidden characters visible, nothing ever run. */
import type { ReactNode } from "react";
import { logSpans, type TextColour, type TextSpan } from "@/lib/logText";

const COLOUR: Readonly<Record<string, string>> = {
  red: "text-error",
  green: "text-good",
  yellow: "text-warn",
  blue: "text-info",
  magenta: "text-fatal",
  cyan: "text-accent",
  mute: "text-mute",
};

// Backgrounds only tint: text keeps its contrast.
const BACKGROUND: Readonly<Record<string, string>> = {
  red: "bg-error/20",
  green: "bg-good/20",
  yellow: "bg-warn/20",
  blue: "bg-info/20",
  magenta: "bg-fatal/20",
  cyan: "bg-accent/20",
  mute: "bg-mute/20",
};

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

export const LogText = ({ text }: { text: string }): ReactNode => logText(text);

/** The same without a component of its own, for rows: there are many, and anew with each frame. */
export function logText(text: string): ReactNode {
  const spans = logSpans(text);
  const only = spans[0];
  if (spans.length === 1 && only && Object.keys(only.style).length === 0 && !only.placeholder) {
    // Isolating costs, and only what is read from right to left could reach beyond its own text.
    return RIGHT_TO_LEFT.test(only.text) ? <bdi>{only.text}</bdi> : only.text;
  }
  return (
    <bdi>
      {spans.map((span, i) => (
        // spans of one text never move
        <Span key={i} span={span} />
      ))}
    </bdi>
  );
}

function Span({ span }: { span: TextSpan }) {
  const { style } = span;
  const [colour, background] = style.inverse
    ? [style.background, style.colour ?? "mute"]
    : [style.colour, style.background];
  const classes = [
    span.placeholder
      ? "mx-px rounded-[3px] border border-line px-px text-[0.85em] text-warn"
      : (COLOUR[colour ?? ""] ?? ""),
    BACKGROUND[background ?? ""] ?? "",
    style.bold ? "font-bold" : "",
    style.dim ? "opacity-85" : "",
    style.italic ? "italic" : "",
    style.underline ? "underline" : "",
    style.strike ? "line-through" : "",
  ];
  return (
    <span className={classes.filter(Boolean).join(" ")} style={own(colour, background)}>
      {span.text}
    </span>
  );
}

/** A colour of the sender's own is drawn towards the ink until it can be read in either theme. */
function own(colour: TextColour | undefined, background: TextColour | undefined) {
  return {
    ...(colour?.startsWith("#") ? { color: `color-mix(in oklab, ${colour} 45%, var(--ink))` } : {}),
    ...(background?.startsWith("#")
      ? { background: `color-mix(in oklab, ${background} 20%, transparent)` }
      : {}),
  };
}
