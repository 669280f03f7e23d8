/** The time range and zone that every page shares, read from the URL and written back to it. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import type { SharedSearch } from "@/app/search";
import { preferredZone } from "@/lib/preferred";
import { DEFAULT_RANGE, type TimeRange, type Zone } from "@/lib/time";

export interface Shared {
  readonly range: TimeRange;
  readonly zone: Zone;
  /** Changing the range is a place to come back to: it pushes history. */
  readonly setRange: (range: TimeRange) => void;
  readonly setZone: (zone: Zone) => void;
}

export function useShared(): Shared {
  const search: SharedSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const merge = useCallback(
    (change: { readonly [K in keyof SharedSearch]?: SharedSearch[K] | undefined }) =>
      void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, ...change }) as never }),
    [navigate],
  );
  return {
    range: { from: search.from ?? DEFAULT_RANGE.from, to: search.to ?? DEFAULT_RANGE.to },
    zone: search.tz ?? preferredZone(),
    setRange: useCallback((range: TimeRange) => merge({ from: range.from, to: range.to }), [merge]),
    setZone: useCallback((zone: Zone) => merge({ tz: zone === preferredZone() ? undefined : zone }), [merge]),
  };
}
