/** What every page stands in: the rail, the top bar with time and zone, the keyboard. */
import { defaultParseSearch, Link, Outlet, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { KeySheet } from "@/app/KeySheet";
import { followed, keepShared } from "@/app/kept";
import { listenForKeys, useShortcuts } from "@/app/keys";
import { Palette } from "@/app/Palette";
import { exploreSearch, type SharedSearch } from "@/app/search";
import { TopBar } from "@/app/TopBar";
import { defaultView, enteredWith } from "@/lib/defaultView";
import { keptPinned } from "@/lib/pinned";
import { Icon, type IconName } from "@/ui/icons";

export const PAGES = [
  { to: "/", label: "Overview", icon: "overview", key: "o" },
  { to: "/explore", label: "Explore", icon: "explore", key: "e" },
  { to: "/live", label: "Live tail", icon: "live", key: "l" },
  { to: "/patterns", label: "Patterns", icon: "patterns", key: "p" },
  { to: "/pipeline", label: "Pipeline", icon: "pipeline", key: "h" },
  { to: "/settings", label: "Settings", icon: "settings", key: "s" },
] as const satisfies readonly { to: string; label: string; icon: IconName; key: string }[];

export function Shell() {
  const navigate = useNavigate();
  useEffect(listenForKeys, []);
  useShortcuts([
    ...PAGES.map(({ to, label, key }) => ({
      keys: `g ${key}`,
      what: label,
      group: "Go to" as const,
      // Time and zone go along; what only one page knows stays behind.
      run: () => void navigate({ to, search: kept(to) }),
    })),
    {
      keys: "t",
      what: "Follow this search live",
      group: "Go to",
      run: () => void navigate({ to: "/live", search: followed }),
    },
  ]);
  return (
    <div className="grid h-full grid-cols-[56px_minmax(0,1fr)] grid-rows-[48px_minmax(0,1fr)]">
      <a
        href="#main"
        className="sr-only z-50 rounded bg-accent px-3 py-1 text-accent-ink focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <nav
        aria-label="Pages"
        className="row-span-2 flex flex-col items-center gap-1 border-r border-line bg-panel pt-2"
      >
        <img src="logo.svg" alt="" width={28} height={28} className="mb-3" />
        {PAGES.map(({ to, label, icon }) => (
          <Link
            key={to}
            to={to}
            search={kept(to)}
            activeOptions={{ exact: to === "/", includeSearch: false }}
            className="flex w-12 flex-col items-center rounded-md py-1.5 text-[10px] text-mute hover:bg-raised hover:text-ink data-[status=active]:bg-selected data-[status=active]:text-ink"
          >
            <Icon name={icon} size={18} />
            {label}
          </Link>
        ))}
      </nav>
      <TopBar />
      <main id="main" tabIndex={-1} className="min-h-0 min-w-0 overflow-hidden outline-none">
        <Outlet />
      </main>
      <KeySheet />
      <Palette />
    </div>
  );
}

/**
 * To another page go time and zone, to Patterns what is searched for; Explore begins with its default
 * view and pinned filters.
 */
const kept = (to: string) => (search: SharedSearch) => {
  if (to === "/patterns") return followed(search);
  if (to !== "/explore") return keepShared(search);
  const f = keptPinned();
  const first = exploreSearch(defaultParseSearch(`?${enteredWith(defaultView())}`));
  return { ...keepShared(search), ...first, ...(f ? { f: [...(first.f ?? []), ...f] } : {}) };
};

export function NotFound() {
  return (
    <div className="grid h-full place-content-center gap-2 text-center">
      <p className="text-lg">There is no such page</p>
      <Link to="/" className="text-accent hover:underline">
        Go to the Overview
      </Link>
    </div>
  );
}
