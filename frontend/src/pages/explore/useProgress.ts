/** How far the query in sight is, once it takes longer than most do. */
import { useEffect, useState } from "react";
import type { Progress } from "@/pages/explore/progress";

const LATE_MS = 400;

/** `key`: what is asked; `id`: what the query that runs now is called, asked when it is late. */
export function useProgress(busy: boolean, key: string, id: () => string): Progress | null {
  const [progress, setProgress] = useState<Progress | null>(null);
  useEffect(() => {
    setProgress(null);
    if (!busy) return;
    const gone = new AbortController();
    const late = setTimeout(() => {
      const asked = id();
      if (!asked) return;
      import("@/pages/explore/progress")
        .then(({ watchQuery }) => watchQuery(asked, gone.signal, setProgress))
        // Without it the page only knows less; the query itself says what is wrong.
        .catch(() => {});
    }, LATE_MS);
    return () => {
      clearTimeout(late);
      gone.abort();
    };
  }, [busy, key]);
  return busy ? progress : null;
}
