/** What logs have in common: their templates, how much of each there is, and what is new. */
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { ApiError } from "@/api/client";
import { keepShared } from "@/app/kept";
import { useShortcuts } from "@/app/keys";
import type { PatternsSearch, SharedSearch } from "@/app/search";
import { useShared } from "@/app/useShared";
import { percent } from "@/lib/format";
import { rememberQuery } from "@/lib/recent";
import { QueryBar } from "@/pages/explore/QueryBar";
import { PatternTable } from "@/pages/patterns/PatternTable";
import { foundText, keyOf, narrowed, noiseOf, type PatternsAnswer, sorted } from "@/pages/patterns/patterns";
import { useAsked, usePatterns } from "@/pages/patterns/usePatterns";
import { Icon } from "@/ui/icons";
import { later } from "@/ui/later";
import { Failure } from "@/ui/Panel";

const Inspector = later(() => import("@/pages/patterns/Inspector").then((module) => module.Inspector));
const Empty = later(() => import("@/pages/explore/Empty").then((module) => module.Empty));

const NO_PATTERNS: readonly never[] = [];
const HINT = "Patterns of: words, field:value";

export function PatternsPage() {
  const search = useSearch({ from: "/patterns" });
  const navigate = useNavigate({ from: "/patterns" });
  const { range, zone, setRange } = useShared();
  const text = search.q ?? "";
  const [asked, askAgain] = useAsked(text, range);
  const found = usePatterns(asked);
  const queries = useQueryClient();
  const [place, setPlace] = useState<string | null>(null);
  const { data } = found;
  const patterns = useMemo(
    () => (data ? sorted(data.patterns, search.sort) : NO_PATTERNS),
    [data, search.sort],
  );
  const keys = useMemo(() => patterns.map(keyOf), [patterns]);
  const cursor = keys.indexOf(search.open ?? place ?? "");
  const open = search.open === undefined ? undefined : patterns[keys.indexOf(search.open)];

  const change = (
    next: { readonly [K in keyof PatternsSearch]?: PatternsSearch[K] | undefined },
    how = "push",
  ) =>
    void navigate({ replace: how === "replace", search: (old) => ({ ...old, ...next }) as PatternsSearch });
  const goTo = (index: number, opens = search.open !== undefined) => {
    const key = keys[Math.min(keys.length - 1, Math.max(0, index))];
    if (key === undefined) return;
    setPlace(key);
    if (opens) change({ open: key }, search.open === undefined ? "push" : "replace");
  };
  const step = (count: number) => goTo(cursor + count);
  const close = () => change({ open: undefined });
  useShortcuts([
    { keys: "j", what: "Next pattern", group: "Rows", run: () => step(1) },
    { keys: "k", what: "Previous pattern", group: "Rows", run: () => step(-1) },
    { keys: "Enter", what: "Open the pattern", group: "Rows", run: () => goTo(Math.max(0, cursor), true) },
    { keys: "Escape", what: "Close", group: "Rows", run: () => search.open && close() },
    { keys: "g", what: "First pattern", group: "Rows", run: () => goTo(0) },
    { keys: "Shift+G", what: "Last pattern", group: "Rows", run: () => goTo(keys.length - 1) },
  ]);
  const { error } = found;
  const wrong = error instanceof ApiError && error.body.code === "bad_query" ? error.body : null;
  const stale = found.isPlaceholderData || found.isError;
  return (
    <div className="flex h-full flex-col">
      <div className="flex flex-col gap-2 border-b border-line px-3 py-2">
        <QueryBar
          text={text}
          busy={found.isFetching}
          error={wrong}
          scope={{ query: "", from: asked.from, to: asked.to }}
          hint={HINT}
          onType={(q) => change({ q: q || undefined }, "replace")}
          onRun={(q) => {
            rememberQuery(q);
            if (q === text) askAgain();
            else change({ q: q || undefined });
          }}
          onCancel={() => void queries.cancelQueries({ queryKey: ["patterns"] })}
        />
        <p role="status" className="min-h-[18px] truncate text-[12px] text-mute tabular-nums">
          {found.isFetching ? "Looking for patterns…" : data && !found.isError ? foundText(data) : ""}
        </p>
      </div>
      {found.isError && !wrong ? (
        <div className="border-b border-line px-3">
          <Failure query={found} />
        </div>
      ) : null}
      {data && data.matched > 0 ? <Noise answer={data} query={text} /> : null}
      <div className="relative flex min-h-0 flex-1">
        {!data ? (
          found.isError ? null : found.isFetching ? (
            <Skeleton />
          ) : (
            <Cancelled onAgain={() => void found.refetch()} />
          )
        ) : data.matched === 0 && !found.isFetching ? (
          <div className="min-w-0 flex-1 overflow-auto">
            <Empty
              text={text}
              pills={NO_PATTERNS}
              range={range}
              onText={(q) => change({ q: q || undefined })}
              onPills={() => undefined}
              onRange={setRange}
            />
          </div>
        ) : (
          <PatternTable
            answer={data}
            patterns={patterns}
            sort={search.sort}
            zone={zone}
            stale={stale}
            cursor={cursor}
            openKey={search.open}
            onSort={(sort) => change({ sort })}
            onMove={step}
            onOpen={(index) => goTo(index, true)}
          />
        )}
        {open && data ? (
          <Inspector
            pattern={open}
            asked={asked}
            exact={data.exact}
            zone={zone}
            width={search.drawer}
            onWidth={(drawer) => change({ drawer }, "replace")}
            onStep={step}
            onRange={setRange}
            onClose={close}
          />
        ) : null}
      </div>
    </div>
  );
}

/** A few patterns are most of it: a way to look at the rest. */
function Noise({ answer, query }: { answer: PatternsAnswer; query: string }) {
  const noise = useMemo(() => noiseOf(answer.patterns), [answer]);
  if (!noise) return null;
  const filters = noise.patterns.map((one) => one.filter);
  const count = filters.length === 1 ? "One pattern is" : `${filters.length} patterns are`;
  return (
    <p className="flex flex-wrap items-center gap-x-2 border-b border-line bg-raised/60 px-3 py-1.5 text-[12px]">
      <span className="text-mute">
        <Icon name="filter" size={13} />
      </span>
      {count} {percent(noise.share, 0)} of the volume
      <Link
        to="/explore"
        search={(old: SharedSearch) => ({ ...keepShared(old), q: narrowed(query, filters, true) })}
        className="text-accent hover:underline"
      >
        Explore the rest
      </Link>
    </p>
  );
}

function Cancelled({ onAgain }: { onAgain: () => void }) {
  return (
    <p className="min-w-0 flex-1 bg-panel py-14 text-center text-mute">
      Cancelled before anything was found.{" "}
      <button type="button" className="text-accent hover:underline" onClick={onAgain}>
        Look again
      </button>
    </p>
  );
}

const SKELETON_ROWS = ["92%", "64%", "78%", "51%", "84%", "45%", "70%", "58%"];

function Skeleton() {
  return (
    <div role="status" aria-label="Loading" className="min-w-0 flex-1 bg-panel pt-7">
      {SKELETON_ROWS.map((width) => (
        <div key={width} className="flex h-9 items-center border-b border-line/60 px-3">
          <div className="h-3 animate-pulse rounded bg-raised" style={{ width }} />
        </div>
      ))}
    </div>
  );
}
