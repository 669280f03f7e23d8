/** Services by how much they log, each a link to its records. */
import { Link } from "@tanstack/react-router";
import type { Schema } from "@/api/client";
import { percent, whole } from "@/lib/format";
import { useExploreLink } from "@/pages/overview/useExploreLink";

interface ServiceBarsProps {
  values: readonly Schema["ValueAnswer"][];
  /** What the shares are of. */
  total: number;
  fill: "--fill-error" | "--fill-info";
  /** What the link asks for beside the service. */
  query: string;
  empty: string;
}

export function ServiceBars({ values, total, fill, query, empty }: ServiceBarsProps) {
  const explore = useExploreLink();
  if (values.length === 0) return <p className="py-6 text-center text-mute">{empty}</p>;
  const largest = values[0]?.count ?? 1;
  return (
    <ol className="mt-1 -mr-1 -ml-1.5">
      {values.map(({ value, count }) => (
        <li key={value}>
          <Link
            to="/explore"
            search={explore({ q: query, f: [{ field: "service", values: [value] }] })}
            className="grid grid-cols-[minmax(0,1fr)_auto_52px] items-baseline gap-x-2 rounded-md px-1.5 py-[3px] tabular-nums hover:bg-raised"
          >
            <bdi className="truncate">{value || "(no service)"}</bdi>
            <span>{whole(count)}</span>
            <span className="text-right text-[11px] text-mute">
              {total > 0 ? percent(count / total) : ""}
            </span>
            <span className="col-span-3 mt-0.5 h-[3px] rounded-full bg-raised">
              <span
                className="block h-full rounded-full"
                style={{ width: `${Math.max((count / largest) * 100, 0.5)}%`, background: `var(${fill})` }}
              />
            </span>
          </Link>
        </li>
      ))}
    </ol>
  );
}
