/** ⌘K / Ctrl-K: pages, what this page can do, and the last queries. */
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { currentShortcuts, type Shortcut, useShortcuts } from "@/app/keys";
import { currentOffers } from "@/app/offers";
import { later } from "@/ui/later";

const OWN = "Mod+k";
const PaletteDialog = later(() => import("@/app/PaletteDialog").then((module) => module.PaletteDialog));

export function Palette() {
  const navigate = useNavigate();
  const [shortcuts, setShortcuts] = useState<readonly Shortcut[] | null>(null);
  const open = () => setShortcuts(currentShortcuts().filter((one) => one.keys !== OWN));
  useShortcuts([{ keys: OWN, what: "Command palette", group: "View", run: open }]);
  if (!shortcuts) return null;
  return (
    <PaletteDialog
      shortcuts={shortcuts}
      offers={currentOffers()}
      onSearch={(q) =>
        void navigate({
          to: "/explore",
          search: (old: Record<string, unknown>) => ({ ...old, q, row: undefined }) as never,
        })
      }
      onView={(search) =>
        void navigate({
          to: "/explore",
          search: (old: Record<string, unknown>) => search(old) as never,
        })
      }
      onClose={() => setShortcuts(null)}
    />
  );
}
