/** Icons: 16 × 16 strokes in the text's colour, decoration only (the control has the name). */
const PATHS = {
  overview: "M2 13V8m4 5V3m4 10V6m4 7V9",
  explore: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14",
  live: "M8 9.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM4.5 11.5a5 5 0 0 1 0-7m7 0a5 5 0 0 1 0 7M2 14a8.5 8.5 0 0 1 0-12m12 0a8.5 8.5 0 0 1 0 12",
  pipeline: "M1 8h3m3.5 0h3M14 8h1M4 5.5h3.500v5H4zM10.500 5.500H14v5h-3.500z",
  patterns: "M2 3.500h5m2.500 0H14M2 8h2.500m2.500 0h7M2 12.500h6.500m2.500 0h3",
  wider: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14M4.800 7h4.400",
  close: "m4 4 8 8m0-8-8 8",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  copy: "M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3",
  down: "m4 6 4 4 4-4",
  right: "m6 4 4 4-4 4",
  left: "m10 4-4 4 4 4",
  export: "M8 2v8m0 0L5 7m3 3 3-3M2.500 13.500h11",
  columns: "M2.500 3h11v10h-11zM6.200 3v10M9.800 3v10",
  wrap: "M2 4h12M2 8h9a2 2 0 0 1 0 4H7m2-2-2 2 2 2M2 12h2",
  clock: "M8 14.500a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13ZM8 4.500V8l2.500 1.500",
  pause: "M5.500 3v10m5-10v10",
  play: "M5 3v10l8-5z",
  stop: "M4 4h8v8H4z",
  link: "M7 9a3 3 0 0 0 4.500.3l2-2a3 3 0 0 0-4.200-4.200l-1 1M9 7a3 3 0 0 0-4.500-.3l-2 2a3 3 0 0 0 4.200 4.200l1-1",
  warn: "M8 2 1.500 13.500h13zM8 6.500v3m0 2v.1",
  check: "m3 8.500 3.500 3.500L13 4.500",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.500m0 11V15M1 8h1.500m11 0H15M3 3l1 1m8 8 1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7Z",
  keyboard: "M1.500 4.500h13v7h-13zM4 7h.1M6.500 7h.1M9 7h.1m2.400 0h.1M5 9.500h6",
  pin: "M6 2h4l-.500 4.500 2.500 3H4l2.500-3zM8 9.500V14",
  pinned:
    "M6 2h4l-.500 4.500 2.500 3H4l2.500-3zM8 9.500V14M6.500 2.500 7 6.500 5.500 9h5L9 6.500l.500-4M8 2.500V9",
  more: "M3 8h.1M8 8h.1m4.900 0h.1",
  filter: "M2 3h12L9.500 8.500V13l-3-1.500v-3z",
  bookmark: "M4 2.500h8v11L8 10.500l-4 3z",
  star: "m8 2 1.800 3.900 4.200.500-3.100 2.900.800 4.200L8 11.400l-3.700 2.100.800-4.200L2 6.400l4.200-.500z",
  starred:
    "m8 2 1.800 3.900 4.200.500-3.100 2.900.800 4.200L8 11.400l-3.700 2.100.800-4.200L2 6.400l4.200-.500zM8 3.500v6.500M5 7.500l3 2.500 3-2.500M6.500 6.500 8 9.500l1.500-3",
  people:
    "M6 7.500a2.200 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400ZM1.500 13c0-2.500 2-4 4.500-4s4.500 1.500 4.500 4M10.500 3.300a2.200 2.200 0 0 1 0 4.100M12 9.300c1.600.600 2.500 1.900 2.500 3.700",
  settings:
    "M2 4.500h7m3 0h2M2 11.500h2m3 0h7M10.500 6a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3Zm-5 7a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3Z",
  refresh: "M13.500 8a5.500 5.500 0 1 1-1.600-3.900M13.500 2v3h-3",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
