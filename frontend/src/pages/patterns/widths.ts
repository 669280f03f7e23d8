/** What the header's cells and the rows' have in common: from which width of the table they show. */
export const CELL = {
  template: "min-w-0 flex-1",
  level: "w-12 shrink-0 @max-2xl:hidden",
  service: "w-24 shrink-0 truncate @max-4xl:hidden",
  count: "w-19 shrink-0",
  share: "w-14 shrink-0 @max-xl:hidden",
  volume: "w-30 shrink-0 @max-3xl:hidden",
  change: "w-16 shrink-0 @max-lg:hidden",
  first: "w-24 shrink-0 @max-6xl:hidden",
  last: "w-24 shrink-0 @max-5xl:hidden",
} as const;
