/** Dark, light or as the system is. `theme.js` sets the first paint; this follows changes. */
import { useSyncExternalStore } from "react";

export type ThemeChoice = "dark" | "light" | "system";

const KEY = "logstream.theme";
const system = matchMedia("(prefers-color-scheme: light)");
const listeners = new Set<() => void>();

export function chosenTheme(): ThemeChoice {
  const stored = localStorage.getItem(KEY);
  return stored === "dark" || stored === "light" ? stored : "system";
}

export function chooseTheme(choice: ThemeChoice): void {
  localStorage.setItem(KEY, choice);
  apply();
}

function apply(): void {
  const choice = chosenTheme();
  const light = choice === "light" || (choice === "system" && system.matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";
  for (const listener of listeners) listener();
}

system.addEventListener("change", apply);

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useThemeChoice = (): ThemeChoice => useSyncExternalStore(subscribe, chosenTheme);

/** The theme in force: charts redraw when it changes. */
export const useTheme = (): "dark" | "light" =>
  useSyncExternalStore(subscribe, () =>
    document.documentElement.dataset.theme === "light" ? "light" : "dark",
  );
