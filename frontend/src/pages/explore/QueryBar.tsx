/** The query: an input at first, the editor when it has loaded; what is wrong stands right below. */
import { type FormEvent, type RefObject, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import type { ErrorBody, Schema } from "@/api/client";
import { type Shortcut, useShortcuts } from "@/app/keys";
import type { SavedView } from "@/lib/views";
import type { Scope } from "@/pages/explore/completions";
import type { QueryEditor } from "@/pages/explore/editor";
import { offsetOf } from "@/pages/explore/queryError";
import { unfinished } from "@/pages/explore/unfinished";
import { Icon } from "@/ui/icons";
import { whenIdle } from "@/ui/later";

interface QueryBarProps {
  readonly text: string;
  readonly busy: boolean;
  readonly error: ErrorBody | null;
  readonly scope: Scope;
  /** Those the page knows already; the editor asks for them where it does not. */
  readonly fields?: readonly Schema["FieldAnswer"][] | undefined;
  /** Its name, where there are two. */
  readonly label?: string;
  /** Whether the keys go to it; of two bars they go to one. */
  readonly keyed?: boolean;
  /** What an empty bar offers; absent: what a search takes. */
  readonly hint?: string;
  /** While typing: shown results follow, the history does not. */
  readonly onType: (text: string) => void;
  readonly onRun: (text: string) => void;
  readonly onCancel: () => void;
  /** Saved views that are offered beside fields and recent queries. */
  readonly views?: () => Promise<readonly SavedView[]>;
  readonly onView?: (view: SavedView) => void;
}

const HINT = "Search: words, field:value, | stats count() by service";
const LABEL = "Query";
const NO_KEYS: readonly Shortcut[] = [];
const TYPING_MS = 220;
const COMPLETING_MS = 900;

export function QueryBar({
  text,
  busy,
  error,
  scope,
  fields,
  hint = HINT,
  label = LABEL,
  keyed = true,
  onType,
  onRun,
  onCancel,
  views,
  onView,
}: QueryBarProps) {
  const host = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(text);
  const [loaded, setLoaded] = useState(false);
  // The editor outlives renders; what it calls is the newest.
  const now = useRef<Now>({ typed, scope, fields, hint, onType, onRun, views, onView });
  now.current = { typed, scope, fields, hint, onType, onRun, views, onView };
  // What was last run or came from elsewhere: nobody is in the middle of typing that.
  const settled = useRef(text);
  const editor = useEditor(host, input, now, settled, label, setTyped, () => setLoaded(true));
  const known = useRef(text);
  useEffect(() => {
    // The URL was changed by something else: Back, a link, a cleared search.
    if (text === known.current) return;
    known.current = settled.current = text;
    setTyped(text);
    editor.current?.setText(text);
  }, [text, editor]);
  useEffect(() => {
    // Half a query is wrong only for the moment; Enter sends it all the same.
    if (typed === known.current || unfinished(typed)) return;
    const send = () => {
      known.current = typed;
      now.current.onType(typed);
    };
    let later = setTimeout(() => {
      // Half a word finds nothing: while completions are on offer the typing is given more time.
      if (editor.current?.isCompleting()) later = setTimeout(send, COMPLETING_MS);
      else send();
    }, TYPING_MS);
    return () => clearTimeout(later);
  }, [typed, editor]);
  const at = error ? offsetOf(typed, error.line, error.column) : null;
  useEffect(() => {
    if (loaded) editor.current?.setError(at);
  }, [loaded, at, editor]);
  const focus = () => (loaded ? editor.current?.focus() : input.current?.focus());
  const form = useRef<HTMLFormElement>(null);
  const keys: readonly Shortcut[] = [
    { keys: "/", what: "Go to the query", group: "Search", run: focus },
    { keys: "Mod+Enter", what: "Run the query", group: "Search", run: () => form.current?.requestSubmit() },
  ];
  useShortcuts(keyed ? keys : NO_KEYS);
  const run = (event: FormEvent) => {
    event.preventDefault();
    known.current = settled.current = typed;
    onRun(typed);
  };
  return (
    <form ref={form} role="search" onSubmit={run} className="min-w-0">
      <div className="flex min-h-8 items-start rounded-md border border-line bg-panel focus-within:border-accent">
        <span className="grid h-[30px] w-8 shrink-0 place-content-center text-mute">
          <Icon name="explore" />
        </span>
        <div ref={host} className={`min-w-0 flex-1 ${loaded ? "" : "hidden"}`} />
        {loaded ? null : (
          <input
            ref={input}
            aria-label={label}
            value={typed}
            placeholder={hint}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => setTyped(event.target.value)}
            className="h-[30px] min-w-0 flex-1 bg-transparent px-0.5 font-mono text-[12.5px] outline-none placeholder:text-mute"
          />
        )}
        {typed ? (
          <button
            type="button"
            aria-label="Clear the query"
            title="Clear the query"
            className="grid h-[30px] w-7 shrink-0 place-content-center text-mute hover:text-ink"
            onClick={() => {
              setTyped("");
              editor.current?.setText("");
              known.current = "";
              onRun("");
              focus();
            }}
          >
            <Icon name="close" size={12} />
          </button>
        ) : null}
        {busy ? (
          <button
            type="button"
            onClick={onCancel}
            className="h-[30px] shrink-0 rounded-r-[5px] border-l border-line px-3 text-mute hover:bg-raised hover:text-ink"
          >
            Cancel
          </button>
        ) : (
          <button
            type="submit"
            title="Run (Enter)"
            className="h-[30px] shrink-0 rounded-r-[5px] border-l border-line px-3 font-medium text-accent hover:bg-raised"
          >
            Run
          </button>
        )}
      </div>
      {error ? (
        <QueryError text={typed} at={at} error={error} onGo={() => editor.current?.focus(at ?? 0)} />
      ) : null}
    </form>
  );
}

interface Now {
  readonly typed: string;
  readonly scope: Scope;
  readonly fields: QueryBarProps["fields"];
  readonly hint: string;
  readonly onType: (text: string) => void;
  readonly onRun: (text: string) => void;
  readonly views: QueryBarProps["views"];
  readonly onView: QueryBarProps["onView"];
}

function useEditor(
  host: RefObject<HTMLDivElement | null>,
  input: RefObject<HTMLInputElement | null>,
  now: RefObject<Now>,
  settled: RefObject<string>,
  label: string,
  onText: (text: string) => void,
  onLoaded: () => void,
): RefObject<QueryEditor | null> {
  const editor = useRef<QueryEditor | null>(null);
  // made once; what it needs it reads through refs
  useEffect(() => {
    let gone = false;
    // The input does until then: rows and volume come before it.
    const idle = whenIdle(() => import("@/pages/explore/editor"));
    idle.then(
      ({ makeEditor }) => {
        if (gone || !host.current) return;
        const before = input.current;
        const focused = document.activeElement === before ? (before?.selectionStart ?? 0) : null;
        const made = makeEditor({
          host: host.current,
          text: before?.value ?? now.current.typed,
          label,
          hint: now.current.hint,
          onText,
          onRun: () => host.current?.closest("form")?.requestSubmit(),
          scope: () => now.current.scope,
          fields: () => now.current.fields,
          views: async () => (await now.current.views?.()) ?? [],
          onView: (view) => now.current.onView?.(view),
        });
        editor.current = made;
        // At once, not with the next frame: a key pressed between the two would be lost.
        flushSync(onLoaded);
        if (focused === null) return;
        made.focus(focused);
        if (before?.value !== settled.current) made.offer();
      },
      () => undefined, // the plain input does the job
    );
    // What is typed belongs to the query: the shell's single keys must not see it.
    const element = host.current;
    const keep = (event: KeyboardEvent) => {
      if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
    };
    element?.addEventListener("keydown", keep);
    return () => {
      gone = true;
      element?.removeEventListener("keydown", keep);
      editor.current?.destroy();
      editor.current = null;
    };
  }, []);
  return editor;
}

interface QueryErrorProps {
  readonly text: string;
  readonly at: number | null;
  readonly error: ErrorBody;
  readonly onGo: () => void;
}

/** The line that is wrong with a caret below the place, in words and in text. */
function QueryError({ text, at, error, onGo }: QueryErrorProps) {
  const start = at === null ? 0 : text.lastIndexOf("\n", at - 1) + 1;
  const line = text.slice(start).split("\n")[0] ?? "";
  const column = at === null ? 0 : at - start;
  const cut = Math.max(0, column - 60);
  return (
    <div role="alert" className="mt-1 flex flex-wrap items-start gap-x-4 gap-y-1 px-8 text-[12px]">
      {at !== null && line ? (
        <button type="button" onClick={onGo} title="Go there" className="text-left">
          <pre className="overflow-hidden font-mono leading-[15px] text-mute">
            {`${cut > 0 ? "…" : ""}${line.slice(cut, cut + 100)}\n`}
            <span className="text-error">{`${" ".repeat(column - cut + (cut > 0 ? 1 : 0))}^`}</span>
          </pre>
        </button>
      ) : null}
      <p>
        <span className="text-error">{error.message}</span>
        {error.hint ? <span className="text-mute"> — {error.hint}</span> : null}
        {!error.hint && error.expected && error.expected.length > 0 ? (
          <span className="text-mute"> — expected {error.expected.slice(0, 4).join(", ")}</span>
        ) : null}
      </p>
    </div>
  );
}
