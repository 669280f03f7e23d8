/**
 * The pages, each in a file of its own. The router loads one before it shows it, so that nothing is
 * ever suspended: React would hold back what it reveals for 300 ms.
 */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { PageFailed } from "@/app/PageFailed";
import { NotFound, Shell } from "@/app/Shell";
import { exploreSearch, liveSearch, sharedSearch } from "@/app/search";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

export const overviewRoute = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: sharedSearch,
  component: lazyRouteComponent(() => import("@/pages/overview/OverviewPage"), "OverviewPage"),
});
export const exploreRoute = createRoute({
  getParentRoute: () => root,
  path: "/explore",
  validateSearch: exploreSearch,
  component: lazyRouteComponent(() => import("@/pages/explore/ExplorePage"), "ExplorePage"),
});
export const liveRoute = createRoute({
  getParentRoute: () => root,
  path: "/live",
  validateSearch: liveSearch,
  component: lazyRouteComponent(() => import("@/pages/live/LivePage"), "LivePage"),
});
export const pipelineRoute = createRoute({
  getParentRoute: () => root,
  path: "/pipeline",
  validateSearch: sharedSearch,
  component: lazyRouteComponent(() => import("@/pages/pipeline/PipelinePage"), "PipelinePage"),
});

export function makeRouter() {
  return createRouter({
    routeTree: root.addChildren([overviewRoute, exploreRoute, liveRoute, pipelineRoute]),
    basepath: new URL(document.baseURI).pathname.replace(/\/$/, "") || "/",
    defaultPreload: "intent", // of the file alone: no page has a loader
    defaultErrorComponent: PageFailed,
    scrollRestoration: false,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
