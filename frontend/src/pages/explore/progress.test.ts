import { expect, it } from "vitest";
import { type Progress, watchQuery } from "./progress";
import { progressWords } from "./progressWords";
import { newQueryId } from "./queryId";

const NOTHING: Progress = {
  read_rows: null,
  total_rows: null,
  found: null,
  searched_from: null,
  elapsed_ms: 1,
};

const answering = (...texts: string[]): typeof fetch =>
  (() =>
    Promise.resolve(
      new Response(
        new ReadableStream({
          start(controller) {
            const encoder = new TextEncoder();
            for (const text of texts) controller.enqueue(encoder.encode(text));
            // Left open, as by a server that has more to say to others.
          },
        }),
      ),
    )) as typeof fetch;

it("tells what comes, until the query has ended", async () => {
  const told: Progress[] = [];
  const first = JSON.stringify({ ...NOTHING, read_rows: 5 });
  await watchQuery(
    "abc",
    new AbortController().signal,
    (progress) => told.push(progress),
    answering(
      `event: progress\ndata: ${first}\n`,
      `\nevent: progress\ndata: ${first}\n\nevent: ended\ndata: {"ended":true}\n\n`,
      `event: progress\ndata: ${first}\n\n`,
    ),
  );
  expect(told.map((one) => one.read_rows)).toEqual([5, 5]);
});

it("says only what is known", () => {
  const words = (change: Partial<Progress>) => progressWords({ ...NOTHING, ...change }, "UTC", false);
  expect(words({})).toEqual([]);
  expect(words({ read_rows: 1_234_567 })).toEqual(["1,234,567 rows read"]);
  expect(words({ read_rows: 5, total_rows: 10 })).toEqual(["5 of 10 rows read"]);
  expect(words({ read_rows: 5, found: 2, searched_from: "2026-11-23T10:00:05Z" })).toEqual([
    "5 rows read",
    "2 found",
    "back to 10:00:05",
  ]);
});

it("makes ids that the server takes, each another", () => {
  const ids = new Set(Array.from({ length: 100 }, newQueryId));
  expect(ids.size).toBe(100);
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
});
