/** A text of any length, by parts: a megabyte never has to be laid out at once. */
import { useMemo, useState } from "react";
import { bytes } from "@/lib/format";
import { stackPieces } from "@/lib/stack";
import { jsonInside, prettyMessage } from "@/pages/explore/pretty";
import { StackText } from "@/pages/explore/StackText";
import { LogText } from "@/ui/LogText";

const PART = 50_000;

interface LongTextProps {
  readonly text: string;
  /** JSON set out in lines, with a button for it. */
  readonly formatted?: boolean;
  readonly onFormat?: () => void;
  /** The text was cut: its whole size, and how to get it. */
  readonly wholeBytes?: number;
  readonly onWhole?: () => void;
  readonly busy?: boolean;
}

export function LongText({ text, formatted, onFormat, wholeBytes, onWhole, busy }: LongTextProps) {
  const [parts, setParts] = useState(1);
  const isJson = onFormat !== undefined && jsonInside(text) !== undefined;
  const whole = isJson && formatted ? prettyMessage(text) : text;
  const shown = whole.slice(0, parts * PART);
  const stack = useMemo(() => (whole.length <= PART ? stackPieces(whole) : null), [whole]);
  const button = "mt-1.5 mr-2 rounded border border-line px-2 text-[12px] text-accent hover:bg-raised";
  return (
    <div>
      <div className="font-mono text-[12px] break-words whitespace-pre-wrap">
        {stack ? (
          <StackText pieces={stack} />
        ) : (
          chunks(shown).map((part, i) => (
            // parts of one text never move
            <LogText key={i} text={part} />
          ))
        )}
      </div>
      {shown.length < whole.length ? (
        <button type="button" className={button} onClick={() => setParts(parts + 1)}>
          Show more ({bytes(whole.length - shown.length)} left)
        </button>
      ) : null}
      {onWhole ? (
        <button type="button" className={button} onClick={onWhole} disabled={busy}>
          {busy ? "Loading…" : `Show full message (${bytes(wholeBytes ?? 0)})`}
        </button>
      ) : null}
      {isJson ? (
        <button type="button" className={button} onClick={onFormat}>
          {formatted ? "As it was sent" : "As JSON"}
        </button>
      ) : null}
    </div>
  );
}

function chunks(text: string): readonly string[] {
  const found = [];
  for (let at = 0; at < text.length; at += PART) found.push(text.slice(at, at + PART));
  return found.length > 0 ? found : [""];
}
