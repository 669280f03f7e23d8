/** One part of the time against the rest of the range: which values are commoner, or rarer, in it. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "@/api/client";
import { fieldLabel, inList } from "@/lib/fieldNames";
import { splitPipes } from "@/lib/filters";
import { percent, whole } from "@/lib/format";
import { levelLabel } from "@/lib/levels";
import { showTimestamp, type TimeRange, type Zone } from "@/lib/time";
import { DrawerFrame } from "@/pages/explore/DrawerFrame";
import { differences, type FieldDifference, type ValueDifference } from "@/pages/explore/differences";
import type { Explore, ValueAct } from "@/pages/explore/useExplore";
import { type Run, useFields } from "@/pages/explore/useResults";
import { LogText } from "@/ui/LogText";
import { Failure } from "@/ui/Panel";
import { ToolButton } from "@/ui/ToolButton";

interface ComparePanelProps {
  readonly explore: Explore;
  readonly run: Run;
  readonly part: TimeRange;
  readonly zone: Zone;
  readonly onZoom: (range: TimeRange) => void;
}

const LIMIT = 20;
const SHOWN = 4;
/** The API takes 50 names at once. */
const MOST_FIELDS = 45;
/** Every record has another one, or another field says the same. */
const UNLIKE = new Set(["timestamp", "message", "trace_id", "span_id", "severity_number"]);

export function ComparePanel({ explore, run, part, zone, onZoom }: ComparePanelProps) {
  const { search, change, act } = explore;
  const compared = useDifferences(run, part);
  const time = (text: string) => showTimestamp(text, zone, { date: false, digits: 0 });
  return (
    <DrawerFrame label="Comparison" width={search.drawer} onWidth={(drawer) => change({ drawer }, "replace")}>
      <header className="flex h-9 shrink-0 items-center gap-2 border-b border-line px-3 text-[12px]">
        <h2 className="truncate font-medium">
          What differs in {time(part.from)} – {time(part.to)}
        </h2>
        <button
          type="button"
          className="ml-auto shrink-0 rounded border border-line px-2 text-mute hover:bg-raised hover:text-ink"
          onClick={() => onZoom(part)}
        >
          Zoom
        </button>
        <ToolButton
          icon="close"
          label="Close (Esc)"
          size={14}
          onClick={() => change({ compare: undefined })}
        />
      </header>
      <div className="min-h-0 flex-1 overflow-auto pb-4">
        {compared.isError ? (
          <div className="px-3">
            <Failure query={compared} />
          </div>
        ) : compared.data ? (
          <Found {...compared.data} act={act} />
        ) : (
          <p className="px-3 py-6 text-center text-mute">Comparing…</p>
        )}
      </div>
    </DrawerFrame>
  );
}

interface Compared {
  readonly inside: number;
  readonly outside: number;
  readonly fields: readonly FieldDifference[];
}

function Found({ inside, outside, fields, act }: Compared & { act: ValueAct }) {
  return (
    <>
      <p className="px-3 py-2 text-[12px] text-mute tabular-nums">
        <span aria-hidden="true" className="mr-1 inline-block h-2 w-2 rounded-[2px] bg-accent" />
        {whole(inside)} records in it ·{" "}
        <span aria-hidden="true" className="mr-1 inline-block h-2 w-2 rounded-[2px] bg-mute/60" />
        {whole(outside)} in the rest of the range
      </p>
      {fields.length === 0 ? (
        <p className="px-3 py-4 text-mute">
          {inside === 0 || outside === 0
            ? "One of the two has no records: there is nothing to compare."
            : "No field's values are commoner or rarer in it than in the rest."}
        </p>
      ) : null}
      {fields.map(({ field, values }) => (
        <section key={field} aria-label={fieldLabel(field)} className="border-t border-line/60 px-3 py-1.5">
          <h3 className="text-[12px] text-mute">
            <bdi>{fieldLabel(field)}</bdi>
          </h3>
          <ul>
            {values.map((value) => (
              <ValueLine key={value.value} field={field} value={value} act={act} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function ValueLine({ field, value, act }: { field: string; value: ValueDifference; act: ValueAct }) {
  const label = field === "level" ? levelLabel(value.value) : value.value || "(empty)";
  const bar = "h-[5px] rounded-r-sm";
  return (
    <li className="group relative grid grid-cols-[minmax(0,1fr)_88px_116px] items-center gap-2 py-0.5 hover:bg-raised focus-within:bg-raised">
      <span className="truncate font-mono text-[12px]" title={label}>
        <LogText text={label} />
      </span>
      <span aria-hidden="true" className="space-y-px">
        <span className={`block bg-accent ${bar}`} style={{ width: `${value.inside * 100}%` }} />
        <span className={`block bg-mute/60 ${bar}`} style={{ width: `${value.outside * 100}%` }} />
      </span>
      <span className="text-right text-[11px] text-mute tabular-nums">
        <span className="text-ink">{percent(value.inside)}</span> was {percent(value.outside)}
      </span>
      <span className="absolute right-0 flex rounded bg-raised opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
        <ToolButton icon="plus" label={`Only ${label}`} onClick={() => act("include", field, value.value)} />
        <ToolButton
          icon="minus"
          label={`Exclude ${label}`}
          onClick={() => act("exclude", field, value.value)}
        />
      </span>
    </li>
  );
}

function useDifferences(run: Run, part: TimeRange) {
  const fields = useFields(run, true);
  const names = fields.data?.fields.map((one) => one.name).filter((name) => !UNLIKE.has(name));
  const listed = [...new Set(["level", "service", ...(names ?? [])])].slice(0, MOST_FIELDS);
  return useQuery({
    queryKey: ["differences", run.query, run.from, run.to, part, listed],
    enabled: names !== undefined,
    queryFn: async ({ signal }): Promise<Compared> => {
      const typed = splitPipes(run.query)[0].trim();
      const rest = `NOT timestamp:[${part.from} TO ${part.to}}`;
      const within = { query: typed, from: part.from, to: part.to };
      const without = {
        query: typed === "" || typed === "*" ? rest : `(${typed}) ${rest}`,
        from: run.from,
        to: run.to,
      };
      const [inside, outside] = await Promise.all([
        countedIn(within, listed, signal),
        countedIn(without, listed, signal),
      ]);
      return {
        inside: inside.total,
        outside: outside.total,
        fields: differences(
          inside.facets,
          outside.facets,
          { inside: inside.total, outside: outside.total },
          { limit: LIMIT, shown: SHOWN },
        ),
      };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

type Asked = TimeRange & { readonly query: string };

async function countedIn(asked: Asked, names: readonly string[], signal: AbortSignal) {
  const fields = names.map(inList).join(",");
  const [facets, volume] = await Promise.all([
    answered(api.GET("/api/v1/facets", { params: { query: { ...asked, fields, limit: LIMIT } }, signal })),
    answered(api.GET("/api/v1/histogram", { params: { query: asked }, signal })),
  ]);
  return { facets: facets.facets, total: volume.total };
}
