/**
 * One stream, kept: opened again with backoff whenever it is lost, from the last event that was
 * seen. By `fetch`, not `EventSource`: it tells why the server refused.
 */
import type { ErrorBody } from "@/api/client";
import type { StreamState } from "./protocol";
import { type ServerEvent, sseParser } from "./sse";

/** The server sends a comment every 15 s at least. */
const SILENCE_MS = 40_000;
const LONGEST_MS = 30_000;
const TRIED_AGAIN: ReadonlySet<number> = new Set([408, 425, 429]);

export interface Following {
  readonly url: string;
  /** Id of the last event seen before; "": from the start. */
  readonly resume: string;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ServerEvent) => void;
  readonly onState: (state: StreamState) => void;
  readonly fetch?: typeof fetch;
  /** Waits so many ms; for tests. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** How long to wait after `failures` in a row: doubled each time, spread, at most 30 s. */
export function backoffMs(failures: number, firstMs: number, random: number): number {
  return Math.min(LONGEST_MS, firstMs * 2 ** Math.min(failures, 16)) * (0.5 + random / 2);
}

/** Follow until `signal` is aborted or the server refuses; never throws. */
export async function follow(asked: Following): Promise<void> {
  const sleep = asked.sleep ?? slept;
  let resume = asked.resume;
  let failures = 0;
  let firstMs = 1_000;
  while (!asked.signal.aborted) {
    asked.onState({ kind: "connecting" });
    const lost = await once({
      ...asked,
      resume,
      onRetry: (ms) => {
        firstMs = ms;
      },
      onEvent: (event) => {
        resume = event.id || resume;
        failures = 0;
        asked.onEvent(event);
      },
    });
    if (asked.signal.aborted) return;
    if (typeof lost !== "string") {
      asked.onState({ kind: "refused", error: lost });
      return;
    }
    const waitMs = backoffMs(failures, firstMs, Math.random());
    failures += 1;
    asked.onState({ kind: "waiting", retryAtMs: Date.now() + waitMs, reason: lost });
    await sleep(waitMs, asked.signal);
  }
}

/** One connection to its end: why it was lost, or what the server refused it with. */
async function once(asked: Following & { onRetry: (ms: number) => void }): Promise<string | ErrorBody> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const response = await (asked.fetch ?? fetch)(asked.url, {
      headers: { accept: "text/event-stream", ...(asked.resume ? { "last-event-id": asked.resume } : {}) },
      signal: AbortSignal.any([asked.signal, silence.signal]),
      cache: "no-store",
    });
    if (!response.ok || !response.body) return await refusal(response);
    asked.onState({ kind: "open", resumed: asked.resume !== "" });
    const parse = sseParser(asked.onRetry);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let reason = "the stream ended";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      for (const event of parse(part.value)) {
        if (event.name === "error") reason = bodyOf(event.data)?.message ?? reason;
        asked.onEvent(event);
      }
    }
    return reason;
  } catch (problem) {
    if (silence.signal.aborted) return "nothing came for a while";
    return problem instanceof Error ? problem.message : String(problem);
  } finally {
    clearTimeout(timer);
  }
}

async function refusal(response: Response): Promise<string | ErrorBody> {
  const body = bodyOf(await response.text());
  const message = body?.message ?? `The server answered ${response.status}`;
  if (response.status >= 500 || response.ok || TRIED_AGAIN.has(response.status)) return message;
  return body ?? { code: "unreadable", message, request_id: response.headers.get("x-request-id") ?? "" };
}

function bodyOf(text: string): ErrorBody | null {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read === "object" && read !== null && "error" in read) return read.error as ErrorBody;
  } catch {
    // Not the API's own answer: a proxy's page, say.
  }
  return null;
}

function slept(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
