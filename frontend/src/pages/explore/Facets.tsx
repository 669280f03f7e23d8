/** Fields and their commonest values: one request a field, when it is opened. */
import { keepPreviousData, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api, type Schema } from "@/api/client";
import { fieldLabel } from "@/lib/fieldNames";
import { effectiveQuery, type Pill } from "@/lib/filters";
import { compact, percent } from "@/lib/format";
import { LEVEL_TEXT, levelLabel } from "@/lib/levels";
import type { ValueAct } from "@/pages/explore/useExplore";
import type { Run } from "@/pages/explore/useResults";
import { Icon } from "@/ui/icons";
import { Failure } from "@/ui/Panel";
import { ToolButton } from "@/ui/ToolButton";

interface FacetsProps {
  readonly run: Run;
  readonly fields: UseQueryResult<Schema["FieldsAnswer"]>;
  readonly text: string;
  readonly pills: readonly Pill[];
  readonly columns: readonly string[];
  /** Rows come first: facets are asked for when they are there. */
  readonly ready: boolean;
  /** On a narrow screen the drawer needs the room. */
  readonly besideDrawer: boolean;
  readonly act: ValueAct;
}

/** Shown first, open. */
const FIRST = ["level", "service"];
/** Every record has another one: nothing to choose from. */
const UNLISTED = new Set(["timestamp", "message", ...FIRST]);

export function Facets({ run, fields, text, pills, columns, ready, besideDrawer, act }: FacetsProps) {
  const [wanted, setWanted] = useState("");
  const listed = (fields.data?.fields ?? []).filter((field) => !UNLISTED.has(field.name));
  const shown = listed.filter((field) => field.name.toLowerCase().includes(wanted.toLowerCase()));
  const facet = (field: string, open: boolean, known?: Schema["FieldAnswer"]) => (
    <Facet
      key={field}
      field={field}
      known={known}
      startsOpen={open}
      run={run}
      filter={effectiveQuery(
        text,
        pills.filter((pill) => pill.field !== field),
      )}
      pills={pills.filter((pill) => pill.field === field && !pill.off)}
      isColumn={columns.includes(field)}
      ready={ready}
      act={act}
    />
  );
  return (
    <aside
      aria-label="Fields"
      className={`flex w-60 shrink-0 flex-col overflow-y-auto border-r border-line bg-panel pb-4 max-md:w-44 ${besideDrawer ? "max-lg:hidden" : ""}`}
    >
      {FIRST.map((field) => facet(field, true))}
      <div className="px-2 pt-2 pb-1">
        <input
          type="search"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
          placeholder={`Find in ${listed.length} fields`}
          aria-label="Find a field"
          className="h-7 w-full rounded-md border border-line bg-page px-2 text-[12px] placeholder:text-mute"
        />
      </div>
      {fields.isError ? (
        <div className="px-3">
          <Failure query={fields} />
        </div>
      ) : null}
      {shown.slice(0, 200).map((field) => facet(field.name, false, field))}
      {shown.length > 200 ? (
        <p className="px-3 py-1 text-[11px] text-mute">{shown.length - 200} more: type a part of the name</p>
      ) : null}
    </aside>
  );
}

interface FacetProps {
  readonly field: string;
  readonly known: Schema["FieldAnswer"] | undefined;
  readonly startsOpen: boolean;
  readonly run: Run;
  /** The search without this field's own filters: what else could be chosen. */
  readonly filter: string;
  readonly pills: readonly Pill[];
  readonly isColumn: boolean;
  readonly ready: boolean;
  readonly act: ValueAct;
}

function Facet({ field, known, startsOpen, run, filter, pills, isColumn, ready, act }: FacetProps) {
  const [open, setOpen] = useState(startsOpen);
  return (
    <section aria-label={fieldLabel(field)} className="group/facet border-b border-line/60">
      <h2 className="flex items-center pr-1.5 hover:bg-raised">
        <button
          type="button"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="flex h-7 min-w-0 flex-1 items-center gap-1 pl-2 text-left text-[12px]"
        >
          <Icon name={open ? "down" : "right"} size={11} />
          <bdi className="truncate">{fieldLabel(field)}</bdi>
          {pills.length > 0 ? (
            <span role="img" aria-label="filtered" className="h-1.5 w-1.5 rounded-full bg-accent" />
          ) : null}
        </button>
        {field === "level" || field === "service" ? null : (
          <span
            className={
              isColumn ? "" : "opacity-0 group-focus-within/facet:opacity-100 group-hover/facet:opacity-100"
            }
          >
            <ToolButton
              icon="columns"
              label={isColumn ? `Remove the column ${field}` : `Show ${field} as a column`}
              pressed={isColumn}
              onClick={() => act("column", field, "")}
            />
          </span>
        )}
        {known ? (
          <span className="ml-1 text-[11px] text-mute tabular-nums">
            {known.approximate ? "≈" : ""}
            {compact(known.count)}
          </span>
        ) : null}
      </h2>
      {open ? <Values field={field} run={run} filter={filter} pills={pills} ready={ready} act={act} /> : null}
    </section>
  );
}

type ValuesProps = Pick<FacetProps, "field" | "run" | "filter" | "pills" | "ready" | "act">;

const FEW = 10;
const MANY = 100;

function Values({ field, run, filter, pills, ready, act }: ValuesProps) {
  const [prefix, setPrefix] = useState("");
  const [limit, setLimit] = useState(FEW);
  const { from, to } = run;
  const values = useQuery({
    queryKey: ["values", field, filter, from, to, prefix, limit],
    enabled: ready,
    queryFn: async ({ signal }) => {
      const range = { query: filter, from, to };
      if (prefix === "" && limit === FEW) {
        const fields = field.includes(",") && !field.startsWith('"') ? `"${field}"` : field;
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
  const shown = limit === FEW ? all.slice(0, FEW) : all;
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
        <p className="px-6 text-[11px] text-mute">{values.isPending ? "Loading…" : "No values"}</p>
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
      </span>
    </li>
  );
}
