/** The editor's looks; the theme's variables reach into its shadow root. */
import { EditorView } from "@codemirror/view";

export const EDITOR_THEME = EditorView.theme({
  "&": { fontSize: "12.5px", backgroundColor: "transparent", color: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": {
    fontFamily: "var(--font-mono, ui-monospace, monospace)",
    lineHeight: "20px",
    maxHeight: "120px",
  },
  ".cm-content": { padding: "5px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 2px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-placeholder": {
    color: "var(--mute)",
    maxWidth: "100%",
    overflow: "hidden",
    textOverflow: "ellipsis",
    whiteSpace: "nowrap",
  },
  ".cm-wrong": { textDecoration: "underline wavy var(--error)", textUnderlineOffset: "3px" },
  ".cm-tooltip": {
    backgroundColor: "var(--panel)",
    border: "1px solid var(--line)",
    borderRadius: "8px",
    boxShadow: "0 8px 24px rgb(0 0 0 / 0.3)",
    color: "var(--ink)",
    zIndex: "50",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--font-mono, ui-monospace, monospace)",
    fontSize: "12px",
    maxHeight: "18em",
    minWidth: "280px",
    maxWidth: "min(560px, 90vw)",
    padding: "4px",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": {
    display: "flex",
    gap: "16px",
    padding: "3px 8px",
    borderRadius: "4px",
    lineHeight: "18px",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--selected)",
    color: "var(--ink)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > completion-section": {
    borderBottom: "none",
    color: "var(--mute)",
    fontFamily: "ui-sans-serif, system-ui, sans-serif",
    fontSize: "11px",
    padding: "4px 8px 2px",
    opacity: "1",
  },
  ".cm-completionLabel": { flex: "1", overflow: "hidden", textOverflow: "ellipsis", unicodeBidi: "isolate" },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent)", fontWeight: "600" },
  ".cm-completionDetail": {
    fontStyle: "normal",
    color: "var(--mute)",
    fontVariantNumeric: "tabular-nums",
    margin: "0",
  },
});
