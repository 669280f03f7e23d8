/** Facets pinned to the top: by this browser, and by anybody for everybody. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api } from "@/api/client";
import { keepFacetPins, keptFacetPins } from "@/lib/facetPins";

const NONE: readonly string[] = [];
const KEY = ["pins"];

export interface Pins {
  /** Mine first, then those of everybody that are not mine. */
  readonly all: readonly string[];
  readonly shared: readonly string[];
  readonly toggle: (field: string) => void;
  readonly toggleShared: (field: string) => void;
  /** Why the last change for everybody did not happen. */
  readonly wrong: string;
  readonly isMine: (field: string) => boolean;
}

export function usePins(ready: boolean): Pins {
  const [mine, setMine] = useState(keptFacetPins);
  const [wrong, setWrong] = useState("");
  const queries = useQueryClient();
  const { data } = useQuery({
    queryKey: KEY,
    enabled: ready,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/pins", { signal })),
    staleTime: 60_000,
    retry: false,
  });
  const shared = data?.fields ?? NONE;
  const change = async (field: string) => {
    try {
      const body = { field, pinned: !shared.includes(field) };
      queries.setQueryData(KEY, await answered(api.POST("/api/v1/pins", { body })));
      setWrong("");
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    }
  };
  return {
    all: [...mine, ...shared.filter((field) => !mine.includes(field))],
    shared,
    isMine: (field) => mine.includes(field),
    toggle: (field) => {
      const next = mine.includes(field) ? mine.filter((one) => one !== field) : [...mine, field];
      keepFacetPins(next);
      setMine(next);
    },
    toggleShared: (field) => void change(field),
    wrong,
  };
}
