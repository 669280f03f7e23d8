/**
 * The pages, each in a file of its own. The router loads one before it shows it, so that nothing is
 * ever suspended: React would hold back what it reveals for 300 ms.
 */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { PageFailed } from "@/app/PageFailed";
import { NotFound, Shell } from "@/app/Shell";
import { exploreSearch, liveSearch, patternsSearch, sharedSearch } from "@/app/search";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  beforeLoad: ({ location }) => {
    const { s } = location.search as { readonly s?: unknown };
    if (typeof s === "string") throw redirect({ to: "/s/$id", params: { id: s }, replace: true });
  },
});

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
export const patternsRoute = createRoute({
  getParentRoute: () => root,
  path: "/patterns",
  validateSearch: patternsSearch,
  component: lazyRouteComponent(() => import("@/pages/patterns/PatternsPage"), "PatternsPage"),
});
export const pipelineRoute = createRoute({
  getParentRoute: () => root,
  path: "/pipeline",
  validateSearch: sharedSearch,
  component: lazyRouteComponent(() => import("@/pages/pipeline/PipelinePage"), "PipelinePage"),
});

export const settingsRoute = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  validateSearch: sharedSearch,
  component: lazyRouteComponent(() => import("@/pages/settings/SettingsPage"), "SettingsPage"),
});
export const linkRoute = createRoute({
  getParentRoute: () => root,
  path: "/s/$id",
  component: lazyRouteComponent(() => import("@/pages/link/LinkPage"), "LinkPage"),
});

/** Proxies refuse requests with longer ones: 8 KiB for all headers is usual. */
const LONG_ADDRESS = 6_000;

export function makeRouter() {
  const router = createRouter({
    routeTree: root.addChildren([
      overviewRoute,
      exploreRoute,
      liveRoute,
      patternsRoute,
      pipelineRoute,
      settingsRoute,
      linkRoute,
    ]),
    basepath: new URL(document.baseURI).pathname.replace(/\/$/, "") || "/",
    defaultPreload: "intent", // of the file alone: no page has a loader
    defaultErrorComponent: PageFailed,
    scrollRestoration: false,
  });
  router.subscribe("onResolved", ({ toLocation }) => {
    if (toLocation.href.length > LONG_ADDRESS)
      void import("@/app/shortenAddress").then((module) => module.shortenAddress(router.history));
  });
  return router;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
