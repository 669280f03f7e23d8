/** What this browser prefers where an address says nothing else. */
import type { Zone } from "@/lib/time";

export type Density = "compact" | "normal" | "roomy";

const ZONE = "logstream.zone";
const DENSITY = "logstream.density";

export function preferredZone(): Zone {
  const kept = localStorage.getItem(ZONE) ?? "local";
  return isZone(kept) ? kept : "local";
}
export const preferZone = (zone: Zone): void => localStorage.setItem(ZONE, zone);

/** Whether this browser knows the zone. */
export function isZone(name: string): boolean {
  if (name === "local") return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export function preferredDensity(): Density {
  const kept = localStorage.getItem(DENSITY);
  return kept === "compact" || kept === "roomy" ? kept : "normal";
}
export const preferDensity = (density: Density): void => localStorage.setItem(DENSITY, density);
