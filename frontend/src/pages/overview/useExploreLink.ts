/** The search of a link into Explore that keeps this page's time and zone. */
import { useSearch } from "@tanstack/react-router";
import { keepShared } from "@/app/kept";
import type { ExploreSearch, SharedSearch } from "@/app/search";

export function useExploreLink(): (more: ExploreSearch) => ExploreSearch {
  const search: SharedSearch = useSearch({ strict: false });
  return (more) => {
    const { q, ...others } = more;
    return { ...keepShared(search), ...others, ...(q ? { q } : {}) };
  };
}
