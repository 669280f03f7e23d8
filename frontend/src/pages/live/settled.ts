/** Waiting until what was in the queue is in the store, where earlier records are looked for. */
import { answered, api } from "@/api/client";

const LONGEST_MS = 30_000;
const LOOK_MS = 500;

/**
 * Asked now and then, for as long as it takes the server to come to rest after a start. `false`: it
 * took too long, or nobody said.
 */
export async function settled(signal: AbortSignal): Promise<boolean> {
  const began = performance.now();
  for (;;) {
    const waitedMs = performance.now() - began;
    if (signal.aborted || waitedMs > LONGEST_MS) return false;
    try {
      const { queue } = await answered(api.GET("/api/v1/pipeline", { signal }));
      if (queue && (queue.oldest_age_s ?? 0) * 1e3 <= waitedMs) return true;
    } catch {
      // Not there yet: the tail itself says so.
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
