import { afterEach, beforeEach, expect, test, vi } from "vitest";

const BASE = "http://logs.test/base/";
const EXPLORE = `${BASE}explore`;
const NOW_MS = Date.parse("2026-11-23T12:00:00Z");
const sent: { url: URL; answer: (response: Response) => void; signal: AbortSignal }[] = [];

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers({ now: NOW_MS });
  sent.length = 0;
  vi.stubGlobal(
    "fetch",
    (url: URL, { signal }: { signal: AbortSignal }) =>
      new Promise<Response>((answer) => sent.push({ url, answer, signal })),
  );
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const question = async (search: string, path = EXPLORE) => {
  const { firstQuestion } = await import("@/early");
  return firstQuestion(new URL(path + search), BASE, NOW_MS);
};

async function asked(search = "") {
  const early = await import("@/early");
  expect(early.askEarly(new URL(EXPLORE + search), BASE)).toBe(true);
  const run = { query: "", from: "2026-11-23T11:45:00.000Z", to: "2026-11-23T12:00:00.000Z" };
  return { early, run };
}

test("a range in the address is the question's, fixed at the moment", async () => {
  expect(await question("")).toEqual({ from: "2026-11-23T11:45:00.000Z", to: "2026-11-23T12:00:00.000Z" });
  expect(await question("?from=now-1h&to=2026-11-23T11:30:00Z&cols=%5B%22a%22%5D")).toEqual({
    from: "2026-11-23T11:00:00.000Z",
    to: "2026-11-23T11:30:00Z",
  });
});

test("what only the page's code can read is not asked early", async () => {
  for (const search of ["?q=a", "?f=%5B%5D", "?sig=%5B%5D", "?part=a~b", "?s=1", "?from=%221%22"]) {
    expect(await question(search)).toBeNull();
  }
  expect(await question("", `${BASE}live`)).toBeNull();
});

test("the volume is asked for once the rows have come", async () => {
  await asked();
  expect(sent.map(({ url }) => url.pathname)).toEqual(["/base/api/v1/search"]);
  sent[0]?.answer(Response.json({ records: [] }));
  await vi.advanceTimersByTimeAsync(0);
  expect(sent.map(({ url }) => url.pathname)).toEqual(["/base/api/v1/search", "/base/api/v1/histogram"]);
});

test("an answer that has come is given once, to the same question only", async () => {
  const { early, run } = await asked();
  expect(early.arrivedEarly("search", run)).toBeUndefined();
  sent[0]?.answer(Response.json({ records: [1] }));
  await vi.advanceTimersByTimeAsync(0);
  expect(early.arrivedEarly("search", { ...run, query: "a" })).toBeUndefined();
  expect(early.earlyMoment_ms()).toBe(NOW_MS);
  expect(early.arrivedEarly("search", run)).toEqual({ records: [1] });
  expect(early.arrivedEarly("search", run)).toBeUndefined();
  expect(early.earlyMoment_ms()).toBeNull();
});

test("an answer still on its way is waited for, and cancelled with who waits", async () => {
  const { early, run } = await asked();
  const cancel = new AbortController();
  const taken = early.takeEarly("search", run, cancel.signal);
  expect(sent[0]?.url.searchParams.get("query_id")).toBe(taken?.queryId);
  expect(early.takeEarly("search", run, cancel.signal)).toBeNull();
  cancel.abort();
  expect(sent[0]?.signal.aborted).toBe(true);
});

test("a refusal is not taken for rows", async () => {
  const { early, run } = await asked();
  sent[0]?.answer(Response.json({ error: {} }, { status: 503 }));
  await vi.advanceTimersByTimeAsync(0);
  expect(early.arrivedEarly("search", run)).toBeUndefined();
  const response = await early.takeEarly("search", run, new AbortController().signal)?.fetch();
  expect(response?.status).toBe(503);
});

test("what nobody takes is given up", async () => {
  const { early } = await asked();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sent[0]?.signal.aborted).toBe(true);
  expect(early.earlyMoment_ms()).toBeNull();
});
