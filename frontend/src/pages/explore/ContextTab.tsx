/**
 * What the same source wrote before and after. The search's own filters do not count here, and
 * the level never does: what explains an error is often no error.
 */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { answered, api, type LogRecord } from "@/api/client";
import { inList } from "@/lib/fieldNames";
import type { Zone } from "@/lib/time";
import { NeighbourRow, openedAt } from "@/pages/explore/NeighbourRow";
import { Failure } from "@/ui/Panel";

interface ContextTabProps {
  readonly anchor: LogRecord;
  readonly zone: Zone;
  /** What neighbours need not have in common with it. */
  readonly dropped: readonly string[];
  readonly onDropped: (fields: readonly string[]) => void;
  readonly onOpen: (record: LogRecord) => void;
}

const STEP = 50;
const FIRST = 15;
const MOST = 1_000;

export function ContextTab({ anchor, zone, dropped, onDropped, onOpen }: ContextTabProps) {
  const [source, setSource] = useState<readonly string[] | null>(null);
  const [counts, setCounts] = useState({ before: FIRST, after: FIRST });
  // another record begins small
  useEffect(() => setCounts({ before: FIRST, after: FIRST }), [anchor.id]);
  const same = source
    ? source
        .filter((name) => !dropped.includes(name))
        .map(inList)
        .join(",")
    : "auto";
  const context = useQuery({
    queryKey: ["context", anchor.id, anchor.timestamp, same, counts],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/context", {
          params: { query: { id: anchor.id, timestamp: anchor.timestamp, same, ...counts } },
          signal,
        }),
      ),
    placeholderData: (old) => (old?.record.id === anchor.id ? keepPreviousData(old) : undefined),
  });
  const { data } = context;
  const found = data?.same;
  useEffect(() => {
    if (found && source === null) setSource(found.map((one) => one.field));
  }, [found, source]);
  const list = useRef<HTMLOListElement>(null);
  const firstId = data?.before[0]?.id;
  // the anchor stays in sight when rows come above it
  useEffect(() => {
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "center" });
  }, [anchor.id, firstId]);
  if (!data) {
    return context.isError ? (
      <div className="px-3">
        <Failure query={context} />
      </div>
    ) : (
      <p className="px-3 py-6 text-center text-mute">Loading…</p>
    );
  }
  const rows = [...data.before, data.record, ...data.after];
  const toggle = (name: string) =>
    onDropped(dropped.includes(name) ? dropped.filter((one) => one !== name) : [...dropped, name]);
  const more = (side: "before" | "after") =>
    setCounts({ ...counts, [side]: Math.min(MOST, counts[side] + STEP) });
  return (
    <div className={context.isPlaceholderData ? "opacity-60" : ""}>
      <fieldset className="sticky top-0 z-10 flex flex-wrap items-center gap-1.5 border-b border-line bg-panel px-3 py-2 text-[12px]">
        <legend className="sr-only">Neighbours with the same</legend>
        <span className="text-mute">Same</span>
        {(source ?? []).map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={!dropped.includes(name)}
            title={dropped.includes(name) ? "Only this source again" : "Widen: any value"}
            onClick={() => toggle(name)}
            className="max-w-60 truncate rounded border border-line px-1.5 font-mono text-[11px] aria-pressed:border-accent/60 aria-pressed:text-accent [&:not([aria-pressed=true])]:line-through [&:not([aria-pressed=true])]:opacity-60"
          >
            <bdi>{data.same.find((one) => one.field === name)?.value ?? name}</bdi>
          </button>
        ))}
        {source?.every((name) => dropped.includes(name)) ? (
          <span className="text-mute">nothing: everything around it</span>
        ) : null}
      </fieldset>
      <More
        label={`${STEP} more before`}
        shown={data.before.length >= counts.before && counts.before < MOST}
        end="Nothing before this"
        onClick={() => more("before")}
      />
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: hears the buttons inside, which have keys */}
      <ol
        ref={list}
        onClick={(event) => {
          const record = rows[openedAt(event.target)];
          if (record) onOpen(record);
        }}
      >
        {rows.map((record, i) => (
          <NeighbourRow
            key={record.id}
            at={i}
            record={record}
            zone={zone}
            anchor={record.id === data.record.id}
            withService={dropped.includes("service")}
          />
        ))}
      </ol>
      <More
        label={`${STEP} more after`}
        shown={data.after.length >= counts.after && counts.after < MOST}
        end="Nothing after this yet"
        onClick={() => more("after")}
      />
    </div>
  );
}

function More({
  label,
  shown,
  end,
  onClick,
}: {
  label: string;
  shown: boolean;
  end: string;
  onClick: () => void;
}) {
  return shown ? (
    <button
      type="button"
      className="block w-full py-1 text-center text-[12px] text-accent hover:bg-raised"
      onClick={onClick}
    >
      {label}
    </button>
  ) : (
    <p className="py-1 text-center text-[12px] text-mute">{end}</p>
  );
}
