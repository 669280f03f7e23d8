/** Fields and their commonest values: one request a field, when it is opened. */
import type { UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import type { Schema } from "@/api/client";
import { fieldLabel } from "@/lib/fieldNames";
import { effectiveQuery, type Pill } from "@/lib/filters";
import { whole } from "@/lib/format";
import { FacetValues } from "@/pages/explore/FacetValues";
import { FIRST, facetOrder, shareOf } from "@/pages/explore/facetOrder";
import type { ValueAct } from "@/pages/explore/useExplore";
import { usePins } from "@/pages/explore/usePins";
import type { Run } from "@/pages/explore/useResults";
import { Icon } from "@/ui/icons";
import { later } from "@/ui/later";
import { Failure } from "@/ui/Panel";
import { ToolButton } from "@/ui/ToolButton";

const RangeSlider = later(() => import("@/pages/explore/RangeSlider").then((module) => module.RangeSlider));

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
  /** Facets that are not as they are at first. */
  readonly turned: readonly string[];
  readonly onTurn: (turned: readonly string[]) => void;
  /** Only numbers of the field in the range; `null`: any. */
  readonly onRange: (field: string, range: readonly [number, number] | null) => void;
  readonly act: ValueAct;
}

export function Facets(props: FacetsProps) {
  const { run, fields, text, pills, columns, ready, besideDrawer, turned, onTurn, onRange, act } = props;
  const [wanted, setWanted] = useState("");
  const pins = usePins(ready);
  const every = fields.data?.fields ?? [];
  const { host, pinned, others } = facetOrder(every, pins.all);
  const listed = [...pinned, ...others];
  const shown = listed.filter((field) => field.name.toLowerCase().includes(wanted.toLowerCase()));
  const facet = (field: string, open: boolean, known?: Schema["FieldAnswer"]) => (
    <Facet
      key={field}
      field={field}
      known={known}
      open={open !== turned.includes(field)}
      onTurn={() =>
        onTurn(turned.includes(field) ? turned.filter((one) => one !== field) : [...turned, field])
      }
      run={run}
      filter={effectiveQuery(
        text,
        pills.filter((pill) => pill.field !== field),
      )}
      pills={pills.filter((pill) => pill.field === field && !pill.off)}
      isColumn={columns.includes(field)}
      share={known ? shareOf(known, every) : null}
      pinned={pins.isMine(field)}
      onPin={known && known !== host ? () => pins.toggle(field) : null}
      shared={pins.shared.includes(field)}
      onShare={() => pins.toggleShared(field)}
      onRange={onRange}
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
      {host ? facet(host.name, false, host) : null}
      <div className="px-2 pt-2 pb-1">
        <input
          type="search"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
          placeholder={fields.data ? `Find in ${listed.length} fields` : "Find a field"}
          aria-label="Find a field"
          className="h-7 w-full rounded-md border border-line bg-page px-2 text-[12px] placeholder:text-mute"
        />
      </div>
      {pins.wrong ? (
        <p role="alert" className="px-3 py-1 text-[12px] text-error">
          {pins.wrong}
        </p>
      ) : null}
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
  readonly open: boolean;
  readonly onTurn: () => void;
  readonly run: Run;
  /** The search without this field's own filters: what else could be chosen. */
  readonly filter: string;
  readonly pills: readonly Pill[];
  readonly isColumn: boolean;
  /** Of the records that have the field. */
  readonly share: number | null;
  readonly pinned: boolean;
  readonly onPin: (() => void) | null;
  /** Pinned for everybody. */
  readonly shared: boolean;
  readonly onShare: () => void;
  readonly onRange: FacetsProps["onRange"];
  readonly ready: boolean;
  readonly act: ValueAct;
}

function Facet(props: FacetProps) {
  const { field, known, open, onTurn, run, filter, pills, isColumn, share, pinned, onPin, shared, onShare } =
    props;
  const { ready, act } = props;
  const numeric = known?.numeric ?? false;
  return (
    <section aria-label={fieldLabel(field)} className="group/facet border-b border-line/60">
      <h2 className="relative flex items-center pr-2 hover:bg-raised">
        <button
          type="button"
          aria-expanded={open}
          onClick={onTurn}
          className="flex h-7 min-w-0 flex-1 items-center gap-1 pl-2 text-left text-[12px]"
        >
          <span className="shrink-0">
            <Icon name={open ? "down" : "right"} size={11} />
          </span>
          <bdi className="truncate">{fieldLabel(field)}</bdi>
          {pills.length > 0 ? (
            <span role="img" aria-label="filtered" className="h-1.5 w-1.5 rounded-full bg-accent" />
          ) : null}
        </button>
        {known ? (
          <>
            <span
              className={`absolute inset-y-1 right-[calc(8px+5ch)] flex gap-1 rounded bg-raised ${pinned || shared || isColumn ? "" : HIDDEN}`}
            >
              {onPin ? (
                <>
                  <ToolButton
                    icon="people"
                    label={shared ? `Unpin ${field} for everybody` : `Pin ${field} to the top for everybody`}
                    pressed={shared}
                    onClick={onShare}
                  />
                  <ToolButton
                    icon={pinned ? "pinned" : "pin"}
                    label={pinned ? `Unpin ${field}` : `Pin ${field} to the top`}
                    pressed={pinned}
                    onClick={onPin}
                  />
                </>
              ) : null}
              <ToolButton
                icon="columns"
                label={isColumn ? `Remove the column ${field}` : `Show ${field} as a column`}
                pressed={isColumn}
                onClick={() => act("column", field, "")}
              />
            </span>
            <span
              title={`${known.approximate ? "About " : ""}${whole(known.count)} records have it`}
              className="ml-1 min-w-[5ch] shrink-0 text-right text-[11px] text-mute tabular-nums"
            >
              {known.approximate ? "≈" : ""}
              {shareText(share ?? 0)}
            </span>
          </>
        ) : null}
      </h2>
      {open ? (
        <>
          {numeric ? (
            <RangeSlider
              field={field}
              filter={filter}
              run={run}
              range={pills.find((pill) => pill.range && !pill.exclude)?.range ?? null}
              onRange={(range) => props.onRange(field, range)}
            />
          ) : null}
          <FacetValues
            field={field}
            numeric={numeric}
            run={run}
            filter={filter}
            pills={pills}
            ready={ready}
            act={act}
          />
        </>
      ) : null}
    </section>
  );
}

const HIDDEN = "opacity-0 group-focus-within/facet:opacity-100 group-hover/facet:opacity-100";

/** Never all when it is not all, never nothing when it is something. */
function shareText(share: number): string {
  const rounded = Math.round(share * 100);
  if (rounded === 0) return share > 0 ? "<1 %" : "0 %";
  return `${rounded === 100 && share < 1 ? 99 : rounded} %`;
}
