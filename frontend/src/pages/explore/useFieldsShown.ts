/** Whether the fields stand beside the rows: where there is room for both, unless it was said. */
import { useSyncExternalStore } from "react";
import type { ExploreSearch } from "@/app/search";

const ROOMY = "(min-width: 768px)";

type Facets = ExploreSearch["facets"];

/** Whether they are shown, and what the search says when that is turned around. */
export function useFieldsShown(asked: Facets): { shown: boolean; turned: Facets } {
  const roomy = useSyncExternalStore(subscribe, () => matchMedia(ROOMY).matches);
  const shown = asked ? asked === "shown" : roomy;
  if (shown === roomy) return { shown, turned: shown ? "hidden" : "shown" };
  return { shown, turned: undefined };
}

function subscribe(changed: () => void): () => void {
  const media = matchMedia(ROOMY);
  media.addEventListener("change", changed);
  return () => media.removeEventListener("change", changed);
}
