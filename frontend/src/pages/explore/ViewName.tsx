/** The saved view that was loaded, and whether what is shown still is as it was saved. */
import { useEffect } from "react";
import { defaultView, setDefaultView } from "@/lib/defaultView";
import { isModified } from "@/lib/viewState";
import { useViews } from "@/lib/views";
import type { Explore } from "@/pages/explore/useExplore";

export function ViewName({ explore }: { explore: Explore }) {
  const { search } = explore;
  const view = useViews().find((one) => one.id === search.view);
  useEffect(() => {
    // Others may have changed it: Explore then opens with what it is now.
    if (view && defaultView()?.id === view.id) setDefaultView(view);
  }, [view]);
  if (!view) return null;
  const modified = isModified(search, view.search);
  return (
    <span
      role="status"
      aria-label={`Saved view: ${view.name}${modified ? ", modified" : ""}`}
      title={modified ? `${view.name}: modified since it was saved` : view.name}
      className="flex min-w-0 items-center gap-1.5 text-[12px] max-md:hidden"
    >
      <bdi className="max-w-44 truncate">{view.name}</bdi>
      {modified ? (
        <>
          <span aria-hidden="true" className="h-1.5 w-1.5 shrink-0 rounded-full bg-warn" />
          <span className="text-mute max-xl:sr-only">modified</span>
        </>
      ) : null}
    </span>
  );
}
