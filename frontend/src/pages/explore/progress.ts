/** How far a query is that takes its time: pushed by the server while it runs, in one answer. */
import type { Schema } from "@/api/client";
import { sseParser } from "@/stream/sse";

export type Progress = Schema["ProgressAnswer"];

/** Tells until the query has ended or `signal` is aborted; what goes wrong is told by the query. */
export async function watchQuery(
  id: string,
  signal: AbortSignal,
  tell: (progress: Progress) => void,
  get: typeof fetch = fetch,
): Promise<void> {
  const url = new URL(`api/v1/queries/${id}/progress`, document.baseURI);
  const response = await get(url, { signal, headers: { accept: "text/event-stream" }, cache: "no-store" });
  if (!response.ok || !response.body) return;
  const parse = sseParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    for (const event of parse(part.value)) {
      if (event.name === "progress") tell(JSON.parse(event.data) as Progress);
      if (event.name === "ended") {
        void reader.cancel();
        return;
      }
    }
  }
}
