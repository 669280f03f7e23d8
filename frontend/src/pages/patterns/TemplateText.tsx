/** A template: its text as a log's, and its tokens as quiet marks that tell their kind. */
import type { Pattern } from "@/pages/patterns/patterns";
import { LogText } from "@/ui/LogText";

const COLOUR: Readonly<Record<string, string>> = {
  num: "text-info",
  duration: "text-info",
  size: "text-info",
  time: "text-mute",
  ip: "text-accent",
  uuid: "text-accent",
  hex: "text-accent",
  path: "text-good",
  url: "text-good",
};

export const kindColour = (kind: string): string => COLOUR[kind] ?? "text-warn";

export function TemplateText({ pattern }: { pattern: Pattern }) {
  return pattern.parts.map((part, i) =>
    part.token === null ? (
      // parts of one template never move
      <LogText key={i} text={part.text} />
    ) : (
      <span
        key={i}
        data-token={part.token}
        className={`rounded-[3px] bg-raised px-[3px] ${kindColour(pattern.tokens[part.token]?.kind ?? "*")}`}
      >
        {`<${pattern.tokens[part.token]?.kind ?? "*"}>`}
      </span>
    ),
  );
}
