/** What a tile says: its number, and how it changed against the window before. */
import type { Schema } from "@/api/client";
import { compact, percent, seconds, whole } from "@/lib/format";

export type Tile = Schema["Tile"];
export type TileName =
  | "logs_per_s"
  | "error_rate"
  | "active_services"
  | "searchable_p50_s"
  | "searchable_p95_s"
  | "writes_saved";

export interface TileKind {
  readonly name: TileName;
  readonly label: string;
  readonly hint: string;
  readonly show: (value: number) => string;
  /** Which direction is good news. */
  readonly better?: "up" | "down";
  readonly colour: string;
}

const rate = (value: number): string => {
  if (value > 0 && value < 0.1) return value.toPrecision(1);
  return value < 10 ? value.toFixed(1) : compact(value);
};
const share = (value: number): string => percent(value, value !== 0 && value < 0.01 ? 2 : 1);
// Never rounded up: 99.999 % must not read as all.
const saved = (value: number): string => `${(Math.floor(value * 1e4) / 100).toFixed(2)} %`;

export const TILES: readonly TileKind[] = [
  {
    name: "logs_per_s",
    label: "Logs per second",
    hint: "Records stored with a time in this range",
    show: rate,
    colour: "text-accent",
  },
  {
    name: "error_rate",
    label: "Error rate",
    hint: "Share of records of level error or fatal",
    show: share,
    better: "down",
    colour: "text-error",
  },
  {
    name: "active_services",
    label: "Active services",
    hint: "Services that logged in this range",
    show: whole,
    colour: "text-accent",
  },
  {
    name: "searchable_p50_s",
    label: "Searchable in, p50",
    hint: "Half of all records are searchable within this time after they were acknowledged",
    show: seconds,
    better: "down",
    colour: "text-mute",
  },
  {
    name: "searchable_p95_s",
    label: "Searchable in, p95",
    hint: "95 % of all records are searchable within this time after they were acknowledged",
    show: seconds,
    better: "down",
    colour: "text-mute",
  },
  {
    name: "writes_saved",
    label: "Writes saved",
    hint: "Database writes that batching spares: 1 − inserts ÷ records",
    show: saved,
    better: "up",
    colour: "text-good",
  },
];

export interface Change {
  readonly text: string;
  readonly tone: "good" | "bad" | "plain";
}

/** `▲ 12 %`; tones only what is large enough to mean something. */
export function changeOf(tile: Pick<Tile, "change" | "previous">, better?: "up" | "down"): Change {
  const { change } = tile;
  if (change === null) return { text: tile.previous === null ? "nothing before" : "", tone: "plain" };
  const size = Math.abs(change);
  if (size < 0.005) return { text: "unchanged", tone: "plain" };
  const amount = size >= 9.995 ? `×${whole(Math.round(change + 1))}` : percent(size, size < 0.1 ? 1 : 0);
  const text = `${change > 0 ? "▲" : "▼"} ${amount}`;
  if (!better || size < 0.05) return { text, tone: "plain" };
  return { text, tone: change > 0 === (better === "up") ? "good" : "bad" };
}

/** A tile's query as somebody would type it. */
export const typedQuery = (query: string): string => (query === "*" ? "" : query.replace(/^\* (?!\|)/, ""));
