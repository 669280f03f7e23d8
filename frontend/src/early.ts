/**
 * What Explore will ask first, asked while its code is still on the way: the rows, and once those
 * are there, the volume. Only for an address without a query; everything else waits for the code
 * that reads it.
 */
import { newQueryId } from "@/lib/newQueryId";
import { DEFAULT_RANGE, fixedMoment } from "@/lib/time";

type Panel = "search" | "histogram";

/** The first page of rows: few, and nothing that would take long. */
export const FIRST_PAGE = { limit: 200, count: false, truncate: 4_096 } as const;

const NARROWING = ["q", "f", "sig", "part", "s"];
/** A page that takes longer to begin asks anew: what came is too old. */
const KEPT_MS = 10_000;

interface Question {
  readonly from: string;
  readonly to: string;
}

interface Answer {
  readonly response: Promise<Response>;
  /** Once it has come, and is what was asked for. */
  body?: unknown;
}

interface Early extends Question {
  readonly at_ms: number;
  readonly queryId: string;
  readonly stop: AbortController;
  readonly answers: Map<Panel, Answer>;
}

let early: Early | null = null;

/** The range that Explore's address asks for; `null`: it is not Explore's, or asks for more. */
export function firstQuestion(address: URL, base: string, now_ms: number): Question | null {
  if (address.pathname !== new URL("explore", base).pathname) return null;
  const asked = address.searchParams;
  const moments = [asked.get("from") ?? DEFAULT_RANGE.from, asked.get("to") ?? DEFAULT_RANGE.to];
  // The router writes JSON where a text could be taken for something else.
  if (NARROWING.some((name) => asked.has(name)) || !moments.every((one) => /^[\w-]/.test(one))) return null;
  const [from = "", to = ""] = moments.map((moment) => fixedMoment(moment, now_ms));
  return { from, to };
}

/** Whether there was something to ask. */
export function askEarly(address: URL, base: string): boolean {
  const at_ms = Date.now();
  const question = firstQuestion(address, base, at_ms);
  if (!question) return false;
  const stop = new AbortController();
  const queryId = newQueryId();
  const send = (panel: Panel, more: Readonly<Record<string, string | number | boolean>>) => {
    const url = new URL(`api/v1/${panel}`, base);
    for (const [name, value] of Object.entries({ query: "", ...question, ...more })) {
      url.searchParams.set(name, String(value));
    }
    return fetch(url, { signal: stop.signal });
  };
  const search = send("search", { ...FIRST_PAGE, query_id: queryId });
  // Not at once: the rows would share the server's processors with it.
  const histogram = search.then(() => send("histogram", {}));
  const answers = new Map<Panel, Answer>([
    ["search", read(search)],
    ["histogram", read(histogram)],
  ]);
  early = { ...question, at_ms, queryId, stop, answers };
  setTimeout(() => answers.has("search") && stop.abort(), KEPT_MS);
  return true;
}

function read(response: Promise<Response>): Answer {
  const answer: Answer = { response };
  // That it failed hears who takes it; nobody may.
  const body = response.then((came) => (came.ok ? came.clone().json() : undefined));
  body.then(
    (read) => {
      answer.body = read;
    },
    () => undefined,
  );
  return answer;
}

/** When the first question was asked, while its answer is there to be taken. */
export function earlyMoment_ms(): number | null {
  return early?.answers.has("search") && Date.now() - early.at_ms < KEPT_MS ? early.at_ms : null;
}

interface Taken {
  readonly queryId: string;
  /** In place of sending it again. */
  readonly fetch: () => Promise<Response>;
}

type AskedFor = Question & { readonly query: string };

/** The answer to this question when it is here already, once: it can be shown at once. */
export function arrivedEarly(panel: Panel, asked: AskedFor): unknown {
  const body = answerTo(panel, asked)?.body;
  if (body !== undefined) early?.answers.delete(panel);
  return body;
}

/** The answer to this question, once, when it comes. */
export function takeEarly(panel: Panel, asked: AskedFor, signal: AbortSignal): Taken | null {
  const answer = answerTo(panel, asked);
  if (!early || !answer) return null;
  const { answers, stop, queryId } = early;
  answers.delete(panel);
  signal.addEventListener("abort", () => stop.abort(), { once: true });
  return { queryId, fetch: () => answer.response };
}

function answerTo(panel: Panel, asked: AskedFor): Answer | undefined {
  const same = early && asked.query === "" && asked.from === early.from && asked.to === early.to;
  return same ? early?.answers.get(panel) : undefined;
}
