/**
 * The query editor, loaded after first paint. It lives in a shadow root: there its styles are
 * constructed sheets, which a strict content security policy allows.
 */
import {
  acceptCompletion,
  autocompletion,
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
import { complete, type Sources } from "./completions";
import { EDITOR_THEME } from "./editorTheme";

export interface EditorSetup extends Sources {
  readonly host: HTMLElement;
  readonly text: string;
  readonly label: string;
  readonly hint: string;
  readonly onText: (text: string) => void;
  readonly onRun: () => void;
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
