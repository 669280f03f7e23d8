import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { backoffMs } from "./follow";
import { HIDDEN_MS, keeper, MOST_STREAMS, SILENT_MS } from "./keeper";
import type { Asked, Told } from "./protocol";

class Server {
  readonly calls: {
    url: string;
    resume: string | null;
    signal: AbortSignal;
    send: (text: string) => void;
    end: () => void;
  }[] = [];
  refuse: Response | null = null;

  readonly fetch = ((url: string, init: RequestInit) => {
    if (this.refuse) return Promise.resolve(this.refuse.clone());
    const signal = init.signal as AbortSignal;
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.calls.push({
          url,
          resume: new Headers(init.headers).get("last-event-id"),
          signal,
          send: (text) => controller.enqueue(encoder.encode(text)),
          end: () => controller.close(),
        });
        signal.addEventListener("abort", () => controller.error(signal.reason), { once: true });
      },
    });
    return Promise.resolve(new Response(body));
  }) as typeof fetch;
}

class Page {
  readonly told: Told[] = [];
  postMessage(message: Told): void {
    this.told.push(message);
  }
  get state(): string {
    return this.told.flatMap((one) => (one.type === "state" ? [one.state.kind] : [])).at(-1) ?? "";
  }
  get data(): string[] {
    return this.told.flatMap((one) => (one.type === "event" ? [one.event.data] : []));
  }
}

const follow = (url: string, change: Partial<Asked> = {}): Asked =>
  ({ type: "follow", url, resume: "", visible: true, ...change }) as Asked;
const turn = () => vi.advanceTimersByTimeAsync(0);

describe("keeper", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("gives pages that follow the same one connection, and the second what the first has", async () => {
    const server = new Server();
    const kept = keeper({ fetch: server.fetch });
    const [one, two] = [new Page(), new Page()];
    kept.heard(one, follow("/a"));
    await turn();
    server.calls[0]?.send("id: 1\ndata: x\n\n");
    await turn();
    kept.heard(two, follow("/a"));
    server.calls[0]?.send("id: 2\ndata: y\n\n");
    await turn();
    expect(server.calls).toHaveLength(1);
    expect(one.data).toEqual(["x", "y"]);
    expect(two.data).toEqual(["x", "y"]);
    kept.heard(one, { type: "leave" });
    expect(server.calls[0]?.signal.aborted).toBe(false);
    kept.heard(two, { type: "leave" });
    expect(server.calls[0]?.signal.aborted).toBe(true);
  });

  it("goes on from the last event when the connection is lost", async () => {
    const server = new Server();
    const kept = keeper({ fetch: server.fetch });
    const page = new Page();
    kept.heard(page, follow("/a"));
    await turn();
    server.calls[0]?.send("retry: 500\n\nid: h.7.0\ndata: x\n\n");
    await turn();
    server.calls[0]?.end();
    await turn();
    expect(page.state).toBe("waiting");
    await vi.advanceTimersByTimeAsync(500);
    expect(server.calls.map((call) => call.resume)).toEqual([null, "h.7.0"]);
    expect(page.state).toBe("open");
  });

  it("takes a server that says nothing, not even a comment, for lost", async () => {
    const server = new Server();
    const kept = keeper({ fetch: server.fetch });
    const page = new Page();
    kept.heard(page, follow("/a"));
    await turn();
    for (let i = 0; i < 3; i += 1) {
      await vi.advanceTimersByTimeAsync(15_000);
      server.calls[0]?.send(":\n\n");
    }
    await turn();
    expect(page.state).toBe("open");
    await vi.advanceTimersByTimeAsync(41_000);
    expect(server.calls).toHaveLength(2);
  });

  it("asks no more for what the server refuses, and says why", async () => {
    const server = new Server();
    const error = { code: "bad_query", message: "no", request_id: "r", column: 3 };
    server.refuse = new Response(JSON.stringify({ error }), { status: 400 });
    const kept = keeper({ fetch: server.fetch });
    const page = new Page();
    kept.heard(page, follow("/a"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(page.told.at(-1)).toEqual({ type: "state", url: "/a", state: { kind: "refused", error } });
  });

  it("closes what nobody has seen for a minute and goes on when somebody looks", async () => {
    const server = new Server();
    const kept = keeper({ fetch: server.fetch });
    const page = new Page();
    kept.heard(page, follow("/a"));
    await turn();
    server.calls[0]?.send("id: 5\ndata: x\n\n");
    await turn();
    kept.heard(page, { type: "visible", visible: false });
    await vi.advanceTimersByTimeAsync(30_000);
    server.calls[0]?.send(":\n\n");
    await vi.advanceTimersByTimeAsync(HIDDEN_MS - 31_000);
    expect(server.calls[0]?.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.calls[0]?.signal.aborted).toBe(true);
    expect(page.state).toBe("asleep");
    kept.heard(page, { type: "visible", visible: true });
    await turn();
    expect(server.calls[1]?.resume).toBe("5");
    expect(page.state).toBe("open");
  });

  it("follows a few different streams at most: the oldest gives way and is told so", async () => {
    const server = new Server();
    const kept = keeper({ fetch: server.fetch });
    const pages = Array.from({ length: MOST_STREAMS + 1 }, () => new Page());
    for (const [i, page] of pages.entries()) kept.heard(page, follow(`/${i}`));
    await turn();
    const [first, ...others] = pages.map((page) => page.state);
    expect(first).toBe("taken");
    expect(new Set(others)).toEqual(new Set(["open"]));
    expect(server.calls.filter((call) => !call.signal.aborted)).toHaveLength(MOST_STREAMS);
  });

  it("lets what nobody sees give way first, and brings it back when it is seen", async () => {
    const server = new Server();
    const kept = keeper({ fetch: server.fetch });
    const pages = Array.from({ length: MOST_STREAMS + 1 }, () => new Page());
    const [, hidden, third] = pages;
    for (const [i, page] of pages.slice(0, -1).entries()) kept.heard(page, follow(`/${i}`));
    if (hidden) kept.heard(hidden, { type: "visible", visible: false });
    for (const page of pages.slice(-1)) kept.heard(page, follow("/last"));
    await turn();
    expect(pages.map((page) => page.state).filter((state) => state !== "open")).toEqual(["asleep"]);
    expect(hidden?.state).toBe("asleep");
    if (third) kept.heard(third, { type: "visible", visible: false });
    if (hidden) kept.heard(hidden, { type: "visible", visible: true });
    await turn();
    expect([hidden?.state, third?.state]).toEqual(["open", "asleep"]);
    expect(server.calls.filter((call) => !call.signal.aborted)).toHaveLength(MOST_STREAMS);
  });

  it("forgets a page that gave no sign of life", async () => {
    const server = new Server();
    let now = 0;
    const kept = keeper({ fetch: server.fetch, now: () => now });
    kept.heard(new Page(), follow("/a"));
    await turn();
    now = SILENT_MS;
    kept.sweep(now);
    expect(server.calls[0]?.signal.aborted).toBe(true);
  });
});

it("waits twice as long each time, up to 30 s", () => {
  expect([0, 1, 2, 3].map((failures) => backoffMs(failures, 1_000, 1))).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(backoffMs(500, 2_000, 1)).toBe(30_000);
  expect(backoffMs(0, 1_000, 0)).toBe(500);
});
