/** The newest records of level error and above; each opens in Explore. */
import { Link } from "@tanstack/react-router";
import type { LogRecord } from "@/api/client";
import { LEVEL_TEXT, levelLabel } from "@/lib/levels";
import { showTimestamp, type Zone } from "@/lib/time";
import { useExploreLink } from "@/pages/overview/useExploreLink";
import { LogText } from "@/ui/LogText";

export function NewestErrors({ records, zone }: { records: readonly LogRecord[]; zone: Zone }) {
  const explore = useExploreLink();
  if (records.length === 0) return <p className="py-6 text-center text-mute">No errors in this range</p>;
  return (
    <ol className="mt-1 -mx-1.5">
      {records.map((record) => (
        <li key={record.id}>
          <Link
            to="/explore"
            search={explore({ q: "level:>=error", row: `${record.timestamp}~${record.id}` })}
            title={record.message.slice(0, 500)}
            className="grid grid-cols-[auto_44px_minmax(72px,112px)_minmax(0,1fr)] items-baseline gap-x-2 rounded-md px-1.5 py-1 font-mono text-[12px] hover:bg-raised"
          >
            <time dateTime={record.timestamp} className="text-mute tabular-nums">
              {showTimestamp(record.timestamp, zone, { date: false, digits: 3 })}
            </time>
            <span className={LEVEL_TEXT[record.level] ?? "text-mute"}>{levelLabel(record.level)}</span>
            <bdi className="truncate text-mute">{record.service || "—"}</bdi>
            <span className="truncate">
              <LogText text={record.message.split("\n", 1)[0]?.slice(0, 400) ?? ""} />
            </span>
          </Link>
        </li>
      ))}
    </ol>
  );
}
