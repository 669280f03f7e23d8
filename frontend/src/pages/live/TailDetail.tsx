/** One record of the tail in full, as far as the tail has it. */
import { useShared } from "@/app/useShared";
import { bytes } from "@/lib/format";
import { LEVEL_TEXT, levelLabel } from "@/lib/levels";
import { showTimestamp } from "@/lib/time";
import { CopyButton } from "@/ui/CopyButton";
import { Icon } from "@/ui/icons";
import { LogText } from "@/ui/LogText";
import type { TailRecord } from "./tail";

/** Records may have thousands of attributes; more than this is read in Explore. */
const MOST_FIELDS = 300;
const VALUE_CHARS = 2_000;

interface TailDetailProps {
  readonly record: TailRecord;
  readonly onClose: () => void;
  readonly onExplore: () => void;
}

export function TailDetail({ record, onClose, onExplore }: TailDetailProps) {
  const { zone } = useShared();
  return (
    <aside
      aria-label="Record"
      className="flex w-[min(440px,45%)] min-w-72 shrink-0 flex-col border-l border-line bg-panel @max-3xl:absolute @max-3xl:inset-y-0 @max-3xl:right-0 @max-3xl:z-20 @max-3xl:w-[min(440px,92%)] @max-3xl:shadow-xl @max-3xl:shadow-black/30"
    >
      <header className="flex h-10 shrink-0 items-center gap-2 border-b border-line px-3">
        <span className={`font-mono text-[12px] ${LEVEL_TEXT[record.level] ?? "text-mute"}`}>
          {levelLabel(record.level)}
        </span>
        <span className="mr-auto truncate font-mono text-[12px] text-mute tabular-nums">
          {showTimestamp(record.timestamp, zone, { date: true, digits: 9 })}
        </span>
        <CopyButton label="Copy as JSON" text={JSON.stringify(record, null, 2)} />
        <button
          type="button"
          aria-label="Close"
          title="Close (Esc)"
          className="grid h-7 w-7 shrink-0 place-content-center rounded-md text-mute hover:bg-raised hover:text-ink"
          onClick={onClose}
        >
          <Icon name="close" />
        </button>
      </header>
      <div className="min-h-0 flex-1 overflow-auto p-3">
        <p className="max-h-64 overflow-auto rounded-md border border-line bg-page p-2 font-mono text-[12px] break-words whitespace-pre-wrap">
          <LogText text={record.message} />
        </p>
        {record.truncated ? (
          <p className="mt-1 text-[11px] text-mute">
            Cut here: {bytes(record.message_bytes ?? 0)} in full, which Explore shows.
          </p>
        ) : null}
        <Fields title="Record" fields={own(record)} />
        <Fields title="Attributes" fields={Object.entries(record.attributes)} />
        <Fields title="Resource" fields={Object.entries(record.resource)} />
        <button
          type="button"
          className="mt-3 flex h-8 items-center gap-1.5 rounded-md border border-line px-2.5 hover:bg-raised"
          onClick={onExplore}
        >
          <Icon name="explore" size={14} />
          See it in Explore
        </button>
      </div>
    </aside>
  );
}

type Field = readonly [string, string];

function own(record: TailRecord): readonly Field[] {
  const fields: Field[] = [
    ["service", record.service],
    ["trace_id", record.trace_id],
    ["span_id", record.span_id],
    ["event_name", record.event_name ?? ""],
    ["scope.name", record.scope_name ?? ""],
    ["received", record.received ?? ""],
  ];
  return fields.filter(([, value]) => value !== "");
}

function Fields({ title, fields }: { title: string; fields: readonly Field[] }) {
  if (fields.length === 0) return null;
  return (
    <section aria-label={title} className="mt-3">
      <h2 className="mb-1 text-[11px] font-medium text-mute">{title}</h2>
      <dl className="grid grid-cols-[minmax(96px,max-content)_minmax(0,1fr)] gap-x-3 gap-y-0.5 font-mono text-[12px]">
        {fields.slice(0, MOST_FIELDS).map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="max-w-48 truncate text-mute" title={name}>
              <LogText text={name} />
            </dt>
            <dd className="break-words whitespace-pre-wrap">
              <LogText text={value.slice(0, VALUE_CHARS)} />
            </dd>
          </div>
        ))}
      </dl>
      {fields.length > MOST_FIELDS ? (
        <p className="mt-1 text-[11px] text-mute">
          and {fields.length - MOST_FIELDS} more, which Explore shows
        </p>
      ) : null}
    </section>
  );
}
