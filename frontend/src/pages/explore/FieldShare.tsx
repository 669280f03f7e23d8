/** How common a field's value is among the records that match, beside the commonest ones. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "@/api/client";
import { inList } from "@/lib/fieldNames";
import { effectiveQuery, splitPipes } from "@/lib/filters";
import { compact, percent } from "@/lib/format";
import type { Run } from "@/pages/explore/useResults";
import { LogText } from "@/ui/LogText";

interface FieldShareProps {
  readonly name: string;
  readonly value: string;
  readonly run: Run;
}

const COMMONEST = 5;

export function FieldShare({ name, value, run }: FieldShareProps) {
  const { from, to } = run;
  const [query] = splitPipes(run.query);
  const share = useQuery({
    queryKey: ["share", name, value, query, from, to],
    queryFn: async ({ signal }) => {
      const range = { from, to };
      const narrowed = effectiveQuery(query, [{ field: name, values: [value] }]);
      const count = (counted: string) =>
        answered(
          api.GET("/api/v1/search", {
            params: { query: { ...range, query: counted, limit: 1, truncate: 1 } },
            signal,
          }),
        );
      const [all, same, common] = await Promise.all([
        count(query),
        count(narrowed),
        answered(
          api.GET("/api/v1/facets", {
            params: { query: { ...range, query, fields: inList(name), limit: COMMONEST } },
            signal,
          }),
        ),
      ]);
      return {
        all: all.stats.matched ?? 0,
        same: same.stats.matched ?? 0,
        common: common.facets[0]?.values ?? [],
      };
    },
    staleTime: 60_000,
  });
  if (!share.data) return null;
  const { all, same, common } = share.data;
  if (all === 0) return null;
  return (
    <div className="pointer-events-none absolute inset-x-3 top-full z-20 rounded-md border border-line bg-raised px-2 py-1 text-[11px] tabular-nums shadow-lg shadow-black/30">
      <p className="font-sans text-mute">
        <span className="text-ink">{percent(same / all)}</span> of the {compact(all)} matching records have
        this value
      </p>
      {common.length > 1 ? (
        <ul aria-label="Commonest values" className="mt-0.5">
          {common.map((one) => (
            <li key={one.value} className="relative flex gap-2 px-1 leading-[18px]">
              <span
                aria-hidden="true"
                className={`absolute inset-y-px left-0 rounded-r-sm ${one.value === value ? "bg-accent/30" : "bg-mute/15"}`}
                style={{ width: `${(one.count / all) * 100}%` }}
              />
              <span className="relative min-w-0 flex-1 truncate">
                <LogText text={one.value || "(empty)"} />
              </span>
              <span className="relative text-mute">{percent(one.count / all)}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}
