/**
 * The query editor, loaded after first paint. It lives in a shadow root: there its styles are
 * constructed sheets, which a strict content security policy allows.
 */
import {
  acceptCompletion,
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  closeCompletion,
  completionKeymap,
  completionStatus,
  moveCompletionSelection,
  selectedCompletion,
  startCompletion,
} from "@codemirror/autocomplete";
import {
  deleteCharBackward,
  deleteCharForward,
  deleteGroupBackward,
  deleteGroupForward,
  history,
  historyKeymap,
  selectAll,
} from "@codemirror/commands";
import { EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  EditorView,
  type KeyBinding,
  keymap,
  placeholder,
} from "@codemirror/view";
import { answered, api, type Schema } from "@/api/client";
import { compact } from "@/lib/format";
import { quote } from "@/lib/quote";
import { recentQueries } from "@/lib/recent";
import type { SavedView } from "@/lib/views";
import {
  FUNCTIONS,
  filterBefore,
  needsQuotes,
  operators,
  PIPES,
  type Spot,
  spotAt,
  type Word,
} from "./completion";
import { EDITOR_THEME } from "./editorTheme";

export interface Scope {
  /** What the pills say: completed values are counted among these records. */
  readonly query: string;
  readonly from: string;
  readonly to: string;
}

export interface EditorSetup {
  readonly host: HTMLElement;
  readonly text: string;
  readonly label: string;
  readonly hint: string;
  readonly onText: (text: string) => void;
  readonly onRun: () => void;
  readonly scope: () => Scope;
  /** Those the page knows already. */
  readonly fields: () => Fields | undefined;
  readonly views: () => Promise<readonly SavedView[]>;
  readonly onView: (view: SavedView) => void;
}

export interface QueryEditor {
  readonly setText: (text: string) => void;
  /** Underlines what is wrong there; `null`: nothing is. */
  readonly setError: (from: number | null) => void;
  readonly focus: (position?: number) => void;
  /** Shows completions of what was typed elsewhere. */
  readonly offer: () => void;
  /** Completions are on offer: what is typed is perhaps half a word. */
  readonly isCompleting: () => boolean;
  readonly destroy: () => void;
}

// Moving and selecting are the browser's own; the library's whole map would be a tenth of this chunk.
const EDITING: readonly KeyBinding[] = [
  { key: "Backspace", run: deleteCharBackward, shift: deleteCharBackward, preventDefault: true },
  { key: "Delete", run: deleteCharForward, preventDefault: true },
  { key: "Mod-Backspace", mac: "Alt-Backspace", run: deleteGroupBackward, preventDefault: true },
  { key: "Mod-Delete", mac: "Alt-Delete", run: deleteGroupForward, preventDefault: true },
  { key: "Mod-a", run: selectAll, preventDefault: true },
];

export function makeEditor(setup: EditorSetup): QueryEditor {
  const root = setup.host.shadowRoot ?? setup.host.attachShadow({ mode: "open", delegatesFocus: true });
  const box = document.createElement("div");
  root.replaceChildren(box);
  const run = (view: EditorView) => {
    closeCompletion(view); // also one that is still being asked for
    setup.onRun();
    return true;
  };
  const view = new EditorView({
    root,
    parent: box,
    state: EditorState.create({
      doc: setup.text,
      extensions: [
        history(),
        EditorView.lineWrapping,
        placeholder(setup.hint),
        EditorView.contentAttributes.of({
          "aria-label": setup.label,
          "aria-multiline": "false",
          spellcheck: "false",
          autocapitalize: "off",
          autocorrect: "off",
        }),
        autocompletion({
          override: [(context) => complete(context, setup)],
          activateOnTypingDelay: 120,
          selectOnOpen: false, // Enter runs what is typed, unless something was chosen
          icons: false,
          maxRenderedOptions: 50,
          tooltipClass: () => "completions",
        }),
        Prec.highest(
          keymap.of([
            { key: "Mod-Enter", run },
            { key: "Tab", run: acceptFirst },
            {
              key: "Enter",
              run: (target) => (selectedCompletion(target.state) && acceptCompletion(target)) || run(target),
            },
            { key: "Shift-Enter", run: (target) => insertNewline(target) },
          ]),
        ),
        keymap.of([...completionKeymap, ...historyKeymap, ...EDITING]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) setup.onText(update.state.doc.toString());
        }),
        wrongPlaces,
        EDITOR_THEME,
      ],
    }),
  });
  return {
    setText: (text) => {
      if (text === view.state.doc.toString()) return;
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: text },
        selection: { anchor: text.length },
      });
    },
    setError: (from) =>
      view.dispatch({ effects: markWrong.of(from === null ? Decoration.none : wrongAt(view.state, from)) }),
    focus: (position) => {
      view.focus();
      if (position !== undefined)
        view.dispatch({ selection: { anchor: Math.min(position, view.state.doc.length) } });
    },
    offer: () => startCompletion(view),
    isCompleting: () => completionStatus(view.state) !== null,
    destroy: () => view.destroy(),
  };
}

/** Takes the chosen completion, or the first one. */
function acceptFirst(view: EditorView): boolean {
  if (completionStatus(view.state) !== "active") return false;
  if (!selectedCompletion(view.state)) moveCompletionSelection(true)(view);
  return acceptCompletion(view);
}

function insertNewline(view: EditorView): boolean {
  view.dispatch(view.state.replaceSelection("\n"));
  return true;
}

const markWrong = StateEffect.define<DecorationSet>();
const wrongPlaces = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marks, change) =>
    change.effects.find((effect) => effect.is(markWrong))?.value ?? marks.map(change.changes),
  provide: (field) => EditorView.decorations.from(field),
});

/** The word that begins there, or the last character. */
function wrongAt(state: EditorState, place: number): DecorationSet {
  const { length } = state.doc;
  if (length === 0) return Decoration.none;
  const from = Math.min(place, length - 1);
  const word = /^[^\s()|]+/.exec(state.doc.sliceString(from, Math.min(length, from + 200)))?.[0].length ?? 1;
  return Decoration.set([Decoration.mark({ class: "cm-wrong" }).range(from, Math.min(length, from + word))]);
}

async function complete(context: CompletionContext, setup: EditorSetup): Promise<CompletionResult | null> {
  const text = context.state.doc.toString();
  const spot = spotAt(text, context.pos);
  if (!spot) return null;
  const stop = new AbortController();
  context.addEventListener("abort", () => stop.abort(), { onDocChange: true });
  try {
    return await offers(spot, text, setup, stop.signal);
  } catch {
    return null; // cancelled, or the server is away: typing goes on without help
  }
}

async function offers(
  spot: Spot,
  text: string,
  setup: EditorSetup,
  signal: AbortSignal,
): Promise<CompletionResult | null> {
  const scope = setup.scope();
  if (spot.kind === "pipe")
    return { from: spot.from, options: PIPES.map((word) => option(word, "pipes", 0)) };
  const fields = setup.fields() ?? (await fetchFields(scope, signal));
  if (spot.kind === "field") {
    const options = fields.map(({ name, count, numeric, approximate }) => ({
      label: name,
      apply: spot.inPipe ? name : chosenField(name),
      detail: `${numeric ? "number · " : ""}${approximate ? "≈" : ""}${compact(count)}`,
      type: "property",
      section: FIELDS,
    }));
    const words = spot.inPipe ? FUNCTIONS.map((word) => option(word, "functions", 2)) : recents(text);
    const views = text.trim() === spot.prefix ? await savedViews(setup) : [];
    return { from: spot.from, options: [...options, ...views, ...words], validFor: /^[\w.@$/-]*$/ };
  }
  const query = [filterBefore(text, spot.from), scope.query]
    .filter(Boolean)
    .map((one) => `(${one})`)
    .join(" ");
  const answer = await answered(
    api.GET("/api/v1/fields/{field}/values", {
      params: { path: { field: spot.field }, query: { ...scope, query, prefix: spot.prefix, limit: 50 } },
      signal,
    }),
  );
  const values = answer.values.map(
    ({ value, count }): Completion => ({
      label: value === "" ? '""' : value,
      apply: needsQuotes(value) ? quote(value) : value,
      detail: compact(count),
      type: "constant",
      boost: 50,
      section: VALUES,
    }),
  );
  const numeric = fields.find((field) => field.name === spot.field)?.numeric ?? false;
  const signs =
    spot.prefix === "" ? operators(spot.field, numeric).map((word) => option(word, "operators", 2)) : [];
  return { from: spot.from, options: [...values, ...signs], filter: false };
}

const FIELDS = { name: "Fields", rank: 0 };
const VALUES = { name: "Values in this range", rank: 0 };

function option(word: Word, section: string, rank: number): Completion {
  return {
    label: word.label,
    detail: word.detail,
    type: "keyword",
    section: { name: section[0]?.toUpperCase() + section.slice(1), rank },
    ...(word.apply ? { apply: word.apply } : {}),
  };
}

// The colon comes with the field, and its values with the colon.
function chosenField(name: string) {
  return (view: EditorView, _: Completion, from: number, to: number) => {
    const colon = view.state.sliceDoc(to, to + 1) === ":" ? "" : ":";
    view.dispatch({
      changes: { from, to, insert: name + colon },
      selection: { anchor: from + name.length + 1 },
      userEvent: "input.complete",
    });
    startCompletion(view);
  };
}

function recents(text: string): Completion[] {
  if (text.trim() !== "") return [];
  return recentQueries()
    .slice(0, 5)
    .map((query) => ({ label: query, type: "text", section: { name: "Used before", rank: 3 } }));
}

/** A view takes the place of all that is searched for. */
async function savedViews(setup: EditorSetup): Promise<Completion[]> {
  const views = (await setup.views()).filter(({ kind }) => kind === "view");
  return views.map((saved) => ({
    label: saved.name,
    detail: "view",
    type: "text",
    section: { name: "Saved views", rank: 2 },
    apply: () => setup.onView(saved),
  }));
}

type Fields = readonly Schema["FieldAnswer"][];

async function fetchFields(scope: Scope, signal: AbortSignal): Promise<Fields> {
  return (await answered(api.GET("/api/v1/fields", { params: { query: scope }, signal }))).fields;
}
