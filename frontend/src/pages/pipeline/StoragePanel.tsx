/** What is kept on disk, day by day, and what the retention will come to. */
import type { Schema } from "@/api/client";
import { bytes, compact, seconds, whole } from "@/lib/format";
import { showTimestamp, type Zone } from "@/lib/time";
import { Facts, StepPanel } from "@/pages/pipeline/Parts";
import type { Pipeline } from "@/pages/pipeline/pipeline";

type Storage = Schema["StorageAnswer"];

export function StoragePanel({ pipeline, zone }: { pipeline: Pipeline; zone: Zone }) {
  const { storage, warnings } = pipeline;
  return (
    <StepPanel title="Storage" panels={["storage"]} warnings={warnings} className="lg:col-span-2">
      {storage ? (
        <div className="grid gap-x-6 md:grid-cols-[minmax(0,1fr)_260px]">
          <Days storage={storage} />
          <Facts facts={factsOf(storage, zone)} />
        </div>
      ) : (
        <p className="py-4 text-center text-mute">The store cannot be asked now</p>
      )}
    </StepPanel>
  );
}

function factsOf(storage: Storage, zone: Zone): readonly (readonly [string, string])[] {
  const size = (value: number | null) => (value === null ? "–" : bytes(value));
  const time = (value: string | null) =>
    value ? showTimestamp(value, zone, { date: true, digits: 0 }) : "–";
  return [
    ["Records", compact(storage.records)],
    ["On disk", bytes(storage.bytes)],
    ["A record takes", size(storage.bytes_per_record)],
    ["Oldest", time(storage.oldest)],
    ["Newest", time(storage.newest)],
    ["A day takes", size(storage.bytes_per_day)],
    ["Kept for", keptFor(storage)],
    ["Will come to", size(storage.forecast_bytes)],
    ["Free on the disk", bytes(storage.disk_free_bytes)],
    [
      "Disk full in",
      storage.disk_full_in_s === null ? "never, at this pace" : seconds(storage.disk_full_in_s),
    ],
  ];
}

function keptFor(storage: Storage): string {
  const limit = storage.retention_size_bytes > 0 ? `, at most ${bytes(storage.retention_size_bytes)}` : "";
  return (storage.retention_s > 0 ? seconds(storage.retention_s) : "ever") + limit;
}

/** Days that are drawn; the older ones are in the numbers. Few days leave room at the left. */
const MOST_DAYS = 60;
const FEWEST_SLOTS = 14;

function Days({ storage }: { storage: Storage }) {
  const days = storage.days.toSorted((a, b) => a.day.localeCompare(b.day)).slice(-MOST_DAYS);
  const largest = Math.max(...days.map((day) => day.bytes), 1);
  if (days.length === 0) return <p className="py-6 text-center text-mute">Nothing is stored yet</p>;
  return (
    <div className="flex min-h-[190px] flex-col">
      <p className="mt-1 text-right text-[11px] text-mute tabular-nums">{bytes(largest)}</p>
      <ul
        aria-label="Size by day"
        className="flex flex-1 items-stretch justify-end gap-[3px] border-b border-line"
      >
        {days.map((day) => (
          <li
            key={day.day}
            title={`${day.day}: ${whole(day.records)} records, ${bytes(day.bytes)}`}
            className="flex min-w-[3px] flex-col justify-end hover:bg-raised"
            style={{ width: `${100 / Math.max(days.length, FEWEST_SLOTS)}%` }}
          >
            <span className="sr-only">
              {day.day}: {whole(day.records)} records, {bytes(day.bytes)}
            </span>
            <span
              className="rounded-t-[2px] bg-(--fill-info)"
              style={{ height: `${Math.max((day.bytes / largest) * 100, 1)}%` }}
            />
          </li>
        ))}
      </ul>
      <p className="mt-0.5 flex justify-between text-[11px] text-mute tabular-nums">
        <span>{days.length >= FEWEST_SLOTS ? days[0]?.day : ""}</span>
        <span>{days.at(-1)?.day} (UTC)</span>
      </p>
    </div>
  );
}
