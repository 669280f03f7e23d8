/** Up to five terms, each in its colour. They filter nothing. */
import { type FormEvent, useRef } from "react";
import { Icon } from "@/ui/icons";
import { MOST_TERMS } from "./highlight";

const SWATCH = ["bg-warn/40", "bg-accent/40", "bg-good/35", "bg-fatal/40", "bg-error/40"] as const;

interface HighlightsProps {
  readonly terms: readonly string[];
  readonly onChange: (terms: readonly string[]) => void;
}

export function Highlights({ terms, onChange }: HighlightsProps) {
  const input = useRef<HTMLInputElement>(null);
  const add = (event: FormEvent) => {
    event.preventDefault();
    const term = input.current?.value.trim() ?? "";
    if (term !== "" && !terms.includes(term)) onChange([...terms, term]);
    if (input.current) input.current.value = "";
  };
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-1.5">
      {terms.map((term, i) => (
        <span
          key={term}
          className={`flex h-7 items-center rounded-md pl-2 font-mono text-[12px] ${SWATCH[i] ?? ""}`}
        >
          <span className="max-w-40 truncate">
            <bdi>{term}</bdi>
          </span>
          <button
            type="button"
            aria-label={`Stop highlighting ${term}`}
            title="Stop highlighting"
            className="grid h-7 w-6 place-content-center hover:text-accent"
            onClick={() => onChange(terms.filter((one) => one !== term))}
          >
            <Icon name="close" size={12} />
          </button>
        </span>
      ))}
      {terms.length < MOST_TERMS ? (
        <form onSubmit={add}>
          <input
            ref={input}
            aria-label="Highlight a term"
            title="Coloured, not filtered; Enter adds it"
            placeholder="Highlight…"
            spellCheck={false}
            autoComplete="off"
            maxLength={200}
            className="h-7 w-32 rounded-md border border-line bg-panel px-2 text-[12px] placeholder:text-mute"
          />
        </form>
      ) : null}
    </div>
  );
}
