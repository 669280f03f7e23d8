/** What a page offers in the palette beside its shortcuts, asked for when the palette opens. */
import { useEffect, useRef } from "react";

export interface Offer {
  readonly what: string;
  readonly group: string;
  readonly run: () => void;
}

const offering = new Set<() => readonly Offer[]>();

export const currentOffers = (): readonly Offer[] => [...offering].flatMap((offers) => offers());

/** These are offered while the component is mounted. */
export function useOffers(make: () => readonly Offer[]): void {
  const newest = useRef(make);
  newest.current = make;
  useEffect(() => {
    const offers = () => newest.current();
    offering.add(offers);
    return () => {
      offering.delete(offers);
    };
  }, []);
}
