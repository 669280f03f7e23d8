/** The pages. All are eager: a lazily loaded route costs more than its bytes (Suspense throttling). */
import { createRootRoute, createRoute, createRouter } from "@tanstack/react-router";
import { NotFound, Shell } from "@/app/Shell";
import { exploreSearch, liveSearch, sharedSearch } from "@/app/search";
import { ExplorePage } from "@/pages/explore/ExplorePage";
import { LivePage } from "@/pages/live/LivePage";
import { OverviewPage } from "@/pages/overview/OverviewPage";
import { PipelinePage } from "@/pages/pipeline/PipelinePage";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

export const overviewRoute = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: sharedSearch,
  component: OverviewPage,
});
export const exploreRoute = createRoute({
  getParentRoute: () => root,
  path: "/explore",
  validateSearch: exploreSearch,
  component: ExplorePage,
});
export const liveRoute = createRoute({
  getParentRoute: () => root,
  path: "/live",
  validateSearch: liveSearch,
  component: LivePage,
});
export const pipelineRoute = createRoute({
  getParentRoute: () => root,
  path: "/pipeline",
  validateSearch: sharedSearch,
  component: PipelinePage,
});

export function makeRouter() {
  return createRouter({
    routeTree: root.addChildren([overviewRoute, exploreRoute, liveRoute, pipelineRoute]),
    basepath: new URL(document.baseURI).pathname.replace(/\/$/, "") || "/",
    defaultPreload: false,
    scrollRestoration: false,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
