/** The numbers at a glance, each a link to what is behind it. */
import { Link, useSearch } from "@tanstack/react-router";
import { type ReactNode, useRef } from "react";
import type { ErrorBody } from "@/api/client";
import { keepShared } from "@/app/kept";
import type { SharedSearch } from "@/app/search";
import { changeOf, TILES, type Tile, type TileKind, typedQuery } from "@/pages/overview/tiles";
import { useExploreLink } from "@/pages/overview/useExploreLink";
import { useMove } from "@/pages/overview/useMove";
import type { OverviewAnswer } from "@/pages/overview/useOverview";
import { Icon } from "@/ui/icons";
import { Sparkline } from "@/ui/Sparkline";

interface TilesProps {
  readonly overview: OverviewAnswer;
  readonly onRetry: () => void;
}

export function Tiles({ overview, onRetry }: TilesProps) {
  const buckets = overview.volume?.buckets ?? [];
  // A bucket that has only begun would make every line end in a fall.
  const unfinished = buckets.at(-1)?.partial ? 1 : 0;
  return (
    <ul aria-label="Key numbers" className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
      {TILES.map((kind) => {
        const tile = overview[kind.name];
        const error = overview.failed[kind.name];
        if (error || !tile) {
          return (
            <li key={kind.name}>
              <FailedTile kind={kind} tile={tile} error={error} onRetry={onRetry} />
            </li>
          );
        }
        const whole = tile.query ? tile.series.slice(0, tile.series.length - unfinished) : tile.series;
        return (
          <li key={kind.name}>
            <TileCard
              kind={kind}
              tile={tile}
              series={whole}
              slots={tile.query ? buckets.length || tile.series.length : 30}
            />
          </li>
        );
      })}
    </ul>
  );
}

interface TileCardProps {
  kind: TileKind;
  tile: Tile;
  series: readonly (number | null)[];
  slots: number;
}

const TONES = { good: "text-good", bad: "text-error", plain: "text-mute" } as const;

function TileCard({ kind, tile, series, slots }: TileCardProps) {
  const change = changeOf(tile, kind.better);
  const shown = tile.value === null ? "–" : kind.show(tile.value);
  const number = useRef<HTMLSpanElement>(null);
  useMove(number, tile.value, shown);
  return (
    <TileLink query={tile.query} title={kind.hint}>
      <span className="truncate px-3 pt-2 text-[12px] font-medium text-mute">{kind.label}</span>
      <span ref={number} className="px-3 text-[22px] leading-8 font-semibold tracking-tight tabular-nums">
        {shown}
      </span>
      <span className="flex gap-1.5 truncate px-3 text-[11px] text-mute tabular-nums">
        {change.text ? <span className={TONES[change.tone]}>{change.text}</span> : null}
        {tile.previous === null ? null : <span className="truncate">from {kind.show(tile.previous)}</span>}
      </span>
      <Sparkline series={series} slots={slots} className={`mt-1.5 h-8 w-full ${kind.colour}`} />
    </TileLink>
  );
}

interface FailedTileProps {
  readonly kind: TileKind;
  /** What it showed before, if it did. */
  readonly tile: Tile | null;
  readonly error: ErrorBody | undefined;
  readonly onRetry: () => void;
}

function FailedTile({ kind, tile, error, onRetry }: FailedTileProps) {
  const value = tile?.value ?? null;
  return (
    <div className="flex h-full min-h-[124px] flex-col rounded-lg border border-line bg-panel px-3 pt-2 pb-2.5">
      <span className="truncate text-[12px] font-medium text-mute">{kind.label}</span>
      <span className="text-[22px] leading-8 font-semibold tracking-tight tabular-nums opacity-50">
        {value === null ? "–" : kind.show(value)}
      </span>
      <p
        role="alert"
        title={error ? `${error.message} (request ${error.request_id})` : ""}
        className="mb-1.5 flex min-w-0 items-center gap-1.5 text-[11px] text-error"
      >
        <Icon name="warn" size={13} />
        <span className="truncate">{error?.message ?? "No answer"}</span>
      </p>
      <p className="mt-auto flex min-w-0 items-center gap-2 text-[11px] text-mute">
        <button type="button" className="rounded border border-line px-2 hover:bg-raised" onClick={onRetry}>
          Retry
        </button>
        <span className="truncate font-mono">{error?.request_id}</span>
      </p>
    </div>
  );
}

const CARD =
  "flex h-full flex-col overflow-hidden rounded-lg border border-line bg-panel hover:border-accent focus-visible:border-accent";

function TileLink({ query, title, children }: { query: string; title: string; children: ReactNode }) {
  const explore = useExploreLink();
  const search: SharedSearch = useSearch({ strict: false });
  // The platform's own numbers have no records behind them; the pipeline tells more about them.
  if (query === "")
    return (
      <Link to="/pipeline" search={keepShared(search)} title={title} className={CARD}>
        {children}
      </Link>
    );
  return (
    <Link to="/explore" search={explore({ q: typedQuery(query) })} title={title} className={CARD}>
      {children}
    </Link>
  );
}
