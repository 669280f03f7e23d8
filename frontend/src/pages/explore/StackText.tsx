/** A stack trace with the frames of libraries folded; each run of them opens by itself. */
import { useMemo, useState } from "react";
import { foldedStack, type Piece } from "@/lib/stack";
import { LogText } from "@/ui/LogText";

export function StackText({ pieces }: { pieces: readonly Piece[] }) {
  const parts = useMemo(() => foldedStack(pieces), [pieces]);
  return (
    <>
      {parts.map((part, i) =>
        part.frames > 0 ? (
          // parts of one text never move
          <Frames key={i} text={part.text} count={part.frames} />
        ) : (
          <span key={i} className="block">
            <LogText text={part.text} />
          </span>
        ),
      )}
    </>
  );
}

function Frames({ text, count }: { text: string; count: number }) {
  const [open, setOpen] = useState(false);
  return (
    <span className="block">
      <button
        type="button"
        aria-expanded={open}
        className="my-px rounded bg-raised px-1.5 font-sans text-[11px] text-mute hover:text-ink"
        onClick={() => setOpen(!open)}
      >
        {open ? "Fold" : "⋯"} {count} library frames
      </button>
      {open ? (
        <span className="block text-mute">
          <LogText text={text} />
        </span>
      ) : null}
    </span>
  );
}
