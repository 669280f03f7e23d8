/** The `?` sheet: every shortcut of the page shown now. */
import { useEffect, useState } from "react";
import { currentShortcuts, type Shortcut, useShortcuts } from "@/app/keys";
import { later } from "@/ui/later";

const KeySheetDialog = later(() => import("@/app/KeySheetDialog").then((module) => module.KeySheetDialog));

let show: ((shortcuts: readonly Shortcut[]) => void) | null = null;

/** Open the sheet with these shortcuts on it. */
export const openKeySheet = (shortcuts: readonly Shortcut[]): void => show?.(shortcuts);

export function KeySheet() {
  const [shown, setShown] = useState<readonly Shortcut[] | null>(null);
  useEffect(() => {
    show = setShown;
    return () => {
      show = null;
    };
  }, []);
  useShortcuts([
    { keys: "?", what: "Keyboard shortcuts", group: "View", run: () => setShown(currentShortcuts()) },
  ]);
  return shown ? <KeySheetDialog shortcuts={shown} onClose={() => setShown(null)} /> : null;
}
