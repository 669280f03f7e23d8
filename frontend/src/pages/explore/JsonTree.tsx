/** A value as a tree that folds; JSON inside a text is a branch, too. What is open stays open from record to record. */
import { useState } from "react";
import { toClipboard } from "@/lib/clipboard";
import { jsonInside } from "@/pages/explore/pretty";
import { Icon } from "@/ui/icons";
import { LogText } from "@/ui/LogText";
import { ToolButton } from "@/ui/ToolButton";

/** Folded or unfolded by hand, by path, until the page is left. */
const chosen = new Map<string, boolean>();
const MOST = 300;
const LONG = 2_000;

export function JsonTree({ value }: { value: object }) {
  return (
    <ul className="p-3 font-mono text-[12px]">
      {Object.entries(value).map(([name, member]) => (
        <Branch key={name} name={name} value={member} path={name} depth={0} />
      ))}
    </ul>
  );
}

interface BranchProps {
  readonly name: string;
  readonly value: unknown;
  readonly path: string;
  readonly depth: number;
}

function Branch({ name, value, path, depth }: BranchProps) {
  const [, redraw] = useState(0);
  const [most, setMost] = useState(MOST);
  const inside = typeof value === "string" ? jsonInside(value) : undefined;
  const branch = inside ?? (typeof value === "object" && value !== null ? value : undefined);
  if (!branch) return <Leaf name={name} value={value} />;
  const entries = Object.entries(branch);
  const open = chosen.get(path) ?? (depth < 2 && entries.length > 0 && !inside);
  return (
    <li>
      <button
        type="button"
        aria-expanded={open}
        className="flex items-center gap-1 rounded hover:bg-raised"
        onClick={() => {
          chosen.set(path, !open);
          redraw((count) => count + 1);
        }}
      >
        <Icon name={open ? "down" : "right"} size={11} />
        <span className="text-info">
          <LogText text={name} />
        </span>
        <span className="text-mute">
          {Array.isArray(branch) ? `[${entries.length}]` : `{${entries.length}}`}
          {inside ? " in a text" : ""}
        </span>
      </button>
      {open ? (
        <ul className="ml-[5px] border-l border-line pl-3">
          {entries.slice(0, most).map(([key, member]) => (
            <Branch key={key} name={key} value={member} path={`${path}\0${key}`} depth={depth + 1} />
          ))}
          {entries.length > most ? (
            <li>
              <button
                type="button"
                className="text-accent hover:underline"
                onClick={() => setMost(most * 10)}
              >
                {entries.length - most} more
              </button>
            </li>
          ) : null}
        </ul>
      ) : null}
    </li>
  );
}

function Leaf({ name, value }: { name: string; value: unknown }) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return (
    <li className="group flex items-start gap-2 pl-[15px] hover:bg-raised">
      <span className="shrink-0 text-info">
        <LogText text={name} />
      </span>
      <span
        className={`min-w-0 flex-1 break-words whitespace-pre-wrap ${typeof value === "string" ? "" : "text-warn"}`}
      >
        <LogText text={text.length > LONG ? `${text.slice(0, LONG)}…` : text} />
      </span>
      <span className="opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
        <ToolButton icon="copy" label={`Copy ${name}`} onClick={() => void toClipboard(text)} />
      </span>
    </li>
  );
}
