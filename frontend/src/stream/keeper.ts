/**
 * The streams of one browser. Pages that follow the same share one connection; there are never more
 * than `MOST_STREAMS`, of the six that a browser opens to a host. A stream that no visible page has
 * followed for a minute is closed and goes on from the same place when a page is seen again.
 */
import { type Following, follow } from "./follow";
import type { Asked, StreamState, Told } from "./protocol";
import type { ServerEvent } from "./sse";

export const MOST_STREAMS = 4;
export const HIDDEN_MS = 60_000;
/** A page that said nothing for so long is gone: pages say something every 20 s. */
export const SILENT_MS = 150_000;
const RECENT_CHARS = 1 << 20;

/** A page's end of the line. */
export interface Line {
  postMessage(message: Told): void;
}

interface Page {
  url: string | null;
  visible: boolean;
  heardAtMs: number;
}

interface Stream {
  readonly url: string;
  readonly pages: Set<Line>;
  resume: string;
  state: StreamState;
  stop: AbortController | null;
  /** The newest events, for a page that joins: it begins with what the others already show. */
  recent: ServerEvent[];
  recentChars: number;
  hiddenTimer: ReturnType<typeof setTimeout> | undefined;
}

export interface Keeper {
  readonly heard: (line: Line, asked: Asked) => void;
  /** Forget pages that said nothing for too long; call it now and then. */
  readonly sweep: (nowMs: number) => void;
}

export function keeper(options: Pick<Following, "fetch"> & { now?: () => number } = {}): Keeper {
  const pages = new Map<Line, Page>();
  const streams = new Map<string, Stream>();
  const now = options.now ?? Date.now;

  function tell(stream: Stream, message: Told): void {
    for (const line of stream.pages) line.postMessage(message);
  }

  function become(stream: Stream, state: StreamState): void {
    stream.state = state;
    tell(stream, { type: "state", url: stream.url, state });
  }

  function came(stream: Stream, event: ServerEvent): void {
    stream.resume = event.id || stream.resume;
    stream.recent.push(event);
    stream.recentChars += event.data.length;
    while (stream.recentChars > RECENT_CHARS && stream.recent.length > 1) {
      stream.recentChars -= stream.recent.shift()?.data.length ?? 0;
    }
    tell(stream, { type: "event", url: stream.url, event });
  }

  function start(stream: Stream): void {
    makeRoom();
    const stop = new AbortController();
    stream.stop = stop;
    void follow({
      ...options,
      url: stream.url,
      resume: stream.resume,
      signal: stop.signal,
      // What was on its way when it was stopped is not told: it comes again on resuming.
      onEvent: (event) => stop.signal.aborted || came(stream, event),
      onState: (state) => stop.signal.aborted || become(stream, state),
    });
  }

  function halt(stream: Stream): void {
    stream.stop?.abort();
    stream.stop = null;
  }

  function leave(line: Line): void {
    const url = pages.get(line)?.url;
    const stream = url ? streams.get(url) : undefined;
    if (!stream) return;
    stream.pages.delete(line);
    if (stream.pages.size > 0) {
      watched(stream);
      return;
    }
    halt(stream);
    clearTimeout(stream.hiddenTimer);
    streams.delete(stream.url);
  }

  const seen = (stream: Stream): boolean => [...stream.pages].some((line) => pages.get(line)?.visible);

  function sleep(stream: Stream): void {
    halt(stream);
    become(stream, { kind: "asleep" });
  }

  function watched(stream: Stream): void {
    clearTimeout(stream.hiddenTimer);
    stream.hiddenTimer = undefined;
    if (!seen(stream)) {
      stream.hiddenTimer = setTimeout(() => {
        if (stream.stop) sleep(stream);
      }, HIDDEN_MS);
    } else if (stream.state.kind === "asleep") start(stream);
  }

  function join(line: Line, url: string, resume: string): void {
    const known = streams.get(url);
    if (known && known.state.kind !== "refused") {
      const state = known.state.kind === "open" ? { ...known.state, joined: true as const } : known.state;
      line.postMessage({ type: "state", url, state });
      const at = known.recent.findLastIndex((event) => event.id === resume && resume !== "");
      for (const event of known.recent.slice(at + 1)) line.postMessage({ type: "event", url, event });
      known.pages.add(line);
      watched(known);
      return;
    }
    const stream: Stream = {
      url,
      pages: known?.pages ?? new Set(),
      resume,
      state: { kind: "connecting" },
      stop: null,
      recent: [],
      recentChars: 0,
      hiddenTimer: undefined,
    };
    stream.pages.add(line);
    streams.set(url, stream);
    start(stream);
    watched(stream);
  }

  /** For one more connection: what nobody sees goes to sleep, or else the oldest gives way. */
  function makeRoom(): void {
    const open = [...streams.values()].filter((one) => one.stop && one.state.kind !== "refused");
    const [oldest] = open;
    if (open.length < MOST_STREAMS || !oldest) return;
    const unseen = open.find((one) => !seen(one));
    if (unseen) {
      sleep(unseen);
      return;
    }
    halt(oldest);
    clearTimeout(oldest.hiddenTimer);
    streams.delete(oldest.url);
    become(oldest, { kind: "taken" });
    for (const line of oldest.pages) {
      const page = pages.get(line);
      if (page) page.url = null;
    }
  }

  function heard(line: Line, asked: Asked): void {
    const page = pages.get(line) ?? { url: null, visible: true, heardAtMs: 0 };
    pages.set(line, page);
    page.heardAtMs = now();
    if (asked.type === "leave") {
      leave(line);
      pages.delete(line);
    } else if (asked.type === "follow") {
      leave(line);
      page.url = asked.url;
      page.visible = asked.visible;
      join(line, asked.url, asked.resume);
    } else if (page.visible !== asked.visible) {
      page.visible = asked.visible;
      const stream = page.url ? streams.get(page.url) : undefined;
      if (stream) watched(stream);
    }
  }

  function sweep(nowMs: number): void {
    for (const [line, page] of pages) {
      if (nowMs - page.heardAtMs < SILENT_MS) continue;
      leave(line);
      pages.delete(line);
    }
  }

  return { heard, sweep };
}
