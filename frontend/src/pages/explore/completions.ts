/** What the editor offers where the cursor stands: fields, values, pipes, saved views, recent queries. */
import {
  type Completion,
  type CompletionContext,
  type CompletionResult,
  startCompletion,
} from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
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

export interface Scope {
  /** What the pills say: completed values are counted among these records. */
  readonly query: string;
  readonly from: string;
  readonly to: string;
}

type Fields = readonly Schema["FieldAnswer"][];

/** What is asked when something is to be completed. */
export interface Sources {
  readonly scope: () => Scope;
  /** Those the page knows already. */
  readonly fields: () => Fields | undefined;
  readonly views: () => Promise<readonly SavedView[]>;
  /** A saved view was chosen. */
  readonly onView: (view: SavedView) => void;
}

export async function complete(
  context: CompletionContext,
  sources: Sources,
): Promise<CompletionResult | null> {
  const text = context.state.doc.toString();
  const spot = spotAt(text, context.pos);
  if (!spot) return null;
  const stop = new AbortController();
  context.addEventListener("abort", () => stop.abort(), { onDocChange: true });
  try {
    return await offers(spot, text, sources, stop.signal);
  } catch {
    return null; // cancelled, or the server is away: typing goes on without help
  }
}

async function offers(
  spot: Spot,
  text: string,
  sources: Sources,
  signal: AbortSignal,
): Promise<CompletionResult | null> {
  const scope = sources.scope();
  if (spot.kind === "pipe")
    return { from: spot.from, options: PIPES.map((word) => option(word, "pipes", 0)) };
  const fields = sources.fields() ?? (await fetchFields(scope, signal));
  if (spot.kind === "field") {
    const options = fields.map(({ name, count, numeric, approximate }) => ({
      label: name,
      apply: spot.inPipe ? name : chosenField(name),
      detail: `${numeric ? "number · " : ""}${approximate ? "≈" : ""}${compact(count)}`,
      type: "property",
      section: FIELDS,
    }));
    const words = spot.inPipe ? FUNCTIONS.map((word) => option(word, "functions", 2)) : recents(text);
    const views = text.trim() === spot.prefix ? await savedViews(sources) : [];
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
async function savedViews(sources: Sources): Promise<Completion[]> {
  const views = (await sources.views()).filter(({ kind }) => kind === "view");
  return views.map((saved) => ({
    label: saved.name,
    detail: "view",
    type: "text",
    section: { name: "Saved views", rank: 2 },
    apply: () => sources.onView(saved),
  }));
}

async function fetchFields(scope: Scope, signal: AbortSignal): Promise<Fields> {
  return (await answered(api.GET("/api/v1/fields", { params: { query: scope }, signal }))).fields;
}
