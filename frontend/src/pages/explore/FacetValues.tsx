/** A field's commonest values: exact counts of the current filter, more of them by their beginning. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api, type Schema } from "@/api/client";
import { toClipboard } from "@/lib/clipboard";
import { inList } from "@/lib/fieldNames";
import type { Pill } from "@/lib/filters";
import { compact, percent } from "@/lib/format";
import { LEVEL_TEXT, levelLabel } from "@/lib/levels";
import { byValue } from "@/pages/explore/facetOrder";
import type { ValueAct } from "@/pages/explore/useExplore";
import type { Run } from "@/pages/explore/useResults";
import { Failure } from "@/ui/Panel";
import { ToolButton } from "@/ui/ToolButton";

interface ValuesProps {
  readonly field: string;
  readonly numeric: boolean;
  readonly run: Run;
  /** The search without this field's own filters: what else could be chosen. */
  readonly filter: string;
  readonly pills: readonly Pill[];
  readonly ready: boolean;
  readonly act: ValueAct;
}

const FEW = 10;
const MANY = 100;

export function FacetValues({ field, numeric, run, filter, pills, ready, act }: ValuesProps) {
  const [prefix, setPrefix] = useState("");
  const [limit, setLimit] = useState(FEW);
  const [sorted, setSorted] = useState(false);
  const { from, to } = run;
  const values = useQuery({
    queryKey: ["values", field, filter, from, to, prefix, limit],
    enabled: ready,
    queryFn: async ({ signal }) => {
      const range = { query: filter, from, to };
      if (prefix === "" && limit === FEW) {
        const fields = inList(field);
        const answer = await answered(
          api.GET("/api/v1/facets", { params: { query: { ...range, fields, limit: FEW + 1 } }, signal }),
        );
        return answer.facets[0]?.values ?? [];
      }
      const answer = await answered(
        api.GET("/api/v1/fields/{field}/values", {
          params: { path: { field }, query: { ...range, prefix, limit: MANY } },
          signal,
        }),
      );
      return answer.values;
    },
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (values.isError) {
    return (
      <div className="px-3">
        <Failure query={values} />
      </div>
    );
  }
  const all = values.data ?? [];
  const few = limit === FEW ? all.slice(0, FEW) : all;
  const shown = sorted ? byValue(few) : few;
  const most = Math.max(1, ...all.map((value) => value.count));
  const total = all.reduce((sum, value) => sum + value.count, 0);
  const searchable = all.length > FEW || prefix !== "" || limit !== FEW;
  return (
    <div className={`pb-1.5 ${values.isPlaceholderData ? "opacity-60" : ""}`}>
      {searchable ? (
        <input
          type="search"
          value={prefix}
          onChange={(event) => setPrefix(event.target.value)}
          placeholder="Starts with…"
          aria-label={`Find values of ${field}`}
          className="mx-2 mb-1 h-6 w-[calc(100%-16px)] rounded border border-line bg-page px-1.5 text-[11px] placeholder:text-mute"
        />
      ) : null}
      {numeric && few.length > 1 ? (
        <button
          type="button"
          aria-pressed={sorted}
          className="px-6 py-0.5 text-[11px] text-mute hover:text-ink"
          onClick={() => setSorted(!sorted)}
        >
          {sorted ? "By value ↑" : "By count ↓"}
        </button>
      ) : null}
      <ul>
        {shown.map((value) => (
          <ValueRow
            key={value.value}
            field={field}
            value={value}
            share={value.count / most}
            ofShown={total > 0 ? value.count / total : 0}
            pill={pills.find((one) => one.values.includes(value.value))}
            act={act}
          />
        ))}
      </ul>
      {all.length === 0 ? (
        <p className="px-6 text-[11px] text-mute">
          {values.data ? "No values" : values.isLoading ? "Loading…" : ""}
        </p>
      ) : null}
      {limit === FEW && all.length > FEW ? (
        <button
          type="button"
          className="px-6 py-1 text-[11px] text-accent hover:underline"
          onClick={() => setLimit(MANY)}
        >
          Show more
        </button>
      ) : null}
    </div>
  );
}

interface ValueRowProps {
  readonly field: string;
  readonly value: Schema["ValueAnswer"];
  /** Of the commonest value's count. */
  readonly share: number;
  readonly ofShown: number;
  readonly pill: Pill | undefined;
  readonly act: ValueAct;
}

function ValueRow({ field, value, share, ofShown, pill, act }: ValueRowProps) {
  const isLevel = field === "level";
  const label = isLevel ? levelLabel(value.value) : value.value || "(empty)";
  const state = pill ? (pill.exclude ? "text-error line-through" : "font-semibold text-accent") : "";
  return (
    <li className="group/value relative flex h-6 items-center hover:bg-raised focus-within:bg-raised">
      <span
        aria-hidden="true"
        className="absolute inset-y-0.5 left-5 rounded-r-sm bg-accent/12"
        style={{ width: `calc((100% - 28px) * ${share})` }}
      />
      <button
        type="button"
        aria-pressed={Boolean(pill && !pill.exclude)}
        title={`${label} · ${percent(ofShown)} of the values shown`}
        onClick={() => act("include", field, value.value)}
        className={`relative h-full min-w-0 flex-1 truncate pl-6 text-left font-mono text-[11.5px] ${state || (isLevel ? (LEVEL_TEXT[value.value] ?? "text-mute") : "")}`}
      >
        <bdi>{label}</bdi>
      </button>
      <span className="relative pr-2 pl-1 text-[11px] text-mute tabular-nums group-focus-within/value:hidden group-hover/value:hidden">
        {compact(value.count)}
      </span>
      <span className="relative hidden items-center pr-1 group-focus-within/value:flex group-hover/value:flex">
        <button
          type="button"
          aria-label={`Only ${label}`}
          onClick={() => act("only", field, value.value)}
          className="rounded px-1 text-[11px] text-mute hover:bg-selected hover:text-ink"
        >
          only
        </button>
        <ToolButton
          icon="minus"
          label={`Exclude ${label}`}
          onClick={() => act("exclude", field, value.value)}
        />
        <ToolButton icon="copy" label={`Copy ${label}`} onClick={() => void toClipboard(value.value)} />
      </span>
    </li>
  );
}
