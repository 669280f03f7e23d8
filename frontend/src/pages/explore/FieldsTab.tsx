/** Every field of a record: find, include, exclude, add as a column, copy. */
import { Fragment, type ReactNode, useState } from "react";
import type { LogRecord } from "@/api/client";
import { toClipboard } from "@/lib/clipboard";
import { type FieldGroup, type RecordField, recordFields } from "@/lib/fieldNames";
import { stackPieces } from "@/lib/stack";
import { FieldShare } from "@/pages/explore/FieldShare";
import { jsonInside } from "@/pages/explore/pretty";
import { StackText } from "@/pages/explore/StackText";
import type { Explore, ValueAct } from "@/pages/explore/useExplore";
import { useLinger } from "@/pages/explore/useLinger";
import type { Run } from "@/pages/explore/useResults";
import { LogText } from "@/ui/LogText";
import { ToolButton } from "@/ui/ToolButton";

interface FieldsTabProps {
  readonly record: LogRecord;
  readonly explore: Explore;
  readonly run: Run;
  readonly message: ReactNode;
}

const GROUPS: readonly { readonly id: FieldGroup; readonly label: string }[] = [
  { id: "attributes", label: "Attributes" },
  { id: "record", label: "Record" },
  { id: "resource", label: "Resource" },
  { id: "scope", label: "Instrumentation scope" },
];
/** A record may have thousands of fields; these many are drawn until more are asked for. */
const FEW = 200;
const LONG = 500;
const LINGER_MS = 500;
const isNothing = (value: string): boolean => value === "" || value === "null";

export function FieldsTab({ record, explore, run, message }: FieldsTabProps) {
  const { columns, act, search, change } = explore;
  const [wanted, setWanted] = useState("");
  const [all, setAll] = useState(false);
  const every = recordFields(record).filter((field) => field.name !== "message");
  const fields = search.empty === "hidden" ? every.filter((field) => !isNothing(field.value)) : every;
  const nothings = every.filter((field) => isNothing(field.value)).length;
  const text = wanted.toLowerCase();
  const found = fields.filter(
    ({ label, value }) => label.toLowerCase().includes(text) || value.toLowerCase().includes(text),
  );
  const shown = all ? found : found.slice(0, FEW);
  return (
    <>
      <section aria-label="Message" className="group border-b border-line p-3">
        <h2 className="mb-1 flex items-center text-[11px] text-mute">
          Message
          <span className="ml-auto flex opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
            {record.truncated ? null : (
              <>
                <ToolButton
                  icon="plus"
                  label="Only records with this message"
                  onClick={() => act("include", "message", record.message)}
                />
                <ToolButton
                  icon="minus"
                  label="No records with this message"
                  onClick={() => act("exclude", "message", record.message)}
                />
              </>
            )}
            <ToolButton
              icon="copy"
              label="Copy the message"
              onClick={() => void toClipboard(record.message)}
            />
          </span>
        </h2>
        {message}
      </section>
      <div className="sticky top-0 z-10 flex items-center gap-2 bg-panel px-3 pt-2 pb-1">
        <input
          type="search"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
          aria-label="Find a field or value"
          placeholder={`Find in ${fields.length} fields`}
          className="h-7 min-w-0 flex-1 rounded-md border border-line bg-page px-2 text-[12px] placeholder:text-mute"
        />
        {nothings > 0 ? (
          <button
            type="button"
            aria-pressed={search.empty === "hidden"}
            title="Fields whose value is empty or null"
            className="h-7 shrink-0 rounded-md border border-line px-2 text-[12px] text-mute hover:bg-raised aria-pressed:border-accent/60 aria-pressed:text-accent"
            onClick={() => change({ empty: search.empty ? undefined : "hidden" }, "replace")}
          >
            {search.empty ? `${nothings} empty hidden` : `Hide ${nothings} empty`}
          </button>
        ) : null}
      </div>
      {GROUPS.map(({ id, label }) => {
        const rows = shown.filter((field) => field.group === id);
        return rows.length === 0 ? null : (
          <section key={id} aria-label={label} className="pb-2">
            <h2 className="px-3 pt-2 pb-0.5 text-[11px] text-mute">{label}</h2>
            <dl>
              {rows.map((field) => (
                <FieldRow
                  key={field.name}
                  field={field}
                  isColumn={columns.includes(field.name)}
                  act={act}
                  run={run}
                />
              ))}
            </dl>
          </section>
        );
      })}
      {found.length === 0 ? (
        <p className="px-3 py-4 text-mute">No field has that in its name or value.</p>
      ) : null}
      {found.length > shown.length ? (
        <button type="button" className="px-3 pb-3 text-accent hover:underline" onClick={() => setAll(true)}>
          Show all {found.length} fields
        </button>
      ) : null}
    </>
  );
}

interface FieldRowProps {
  readonly field: RecordField;
  readonly isColumn: boolean;
  readonly act: ValueAct;
  readonly run: Run;
}

function FieldRow({ field, isColumn, act, run }: FieldRowProps) {
  const [open, setOpen] = useState(false);
  const hover = useLinger(LINGER_MS);
  const { name, label, value, group } = field;
  const shared = hover.on && name !== "timestamp";
  const json = jsonInside(value);
  const stack = stackPieces(value);
  const text = json && open ? JSON.stringify(json, null, 2) : open || stack ? value : value.slice(0, LONG);
  const fixed = group === "record" && ["timestamp", "level", "service"].includes(name);
  return (
    <div
      {...hover.listeners}
      className={`group relative px-3 py-[3px] font-mono text-[12px] hover:bg-raised focus-within:bg-raised [contain-intrinsic-size:auto_24px] ${shared ? "z-20" : "[content-visibility:auto]"}`}
    >
      <div className="flex gap-3">
        <dt className="w-[38%] shrink-0 break-words text-mute">
          <FieldLabel label={label} />
        </dt>
        <dd className="min-w-0 flex-1 break-words whitespace-pre-wrap">
          {value === "" ? (
            <span className="text-mute opacity-60">(empty)</span>
          ) : stack ? (
            <StackText pieces={stack} />
          ) : (
            <LogText text={text} />
          )}
          {json || (value.length > LONG && !stack) ? (
            <button
              type="button"
              className="ml-1 text-[11px] text-accent hover:underline"
              onClick={() => setOpen(!open)}
            >
              {open ? "less" : json ? "as JSON" : "more"}
            </button>
          ) : null}
          <span className="absolute top-0.5 right-2 flex rounded bg-raised opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
            <ToolButton
              icon="plus"
              label={`Only ${label}: this value`}
              onClick={() => act("include", name, value)}
            />
            <ToolButton
              icon="minus"
              label={`Exclude ${label}: this value`}
              onClick={() => act("exclude", name, value)}
            />
            <ToolButton
              icon="filter"
              label={`${label}: this value and no other filter of it`}
              onClick={() => act("only", name, value)}
            />
            {fixed ? null : (
              <ToolButton
                icon="columns"
                pressed={isColumn}
                label={isColumn ? `Remove the column ${label}` : `Show ${label} as a column`}
                onClick={() => act("column", name, value)}
              />
            )}
            <ToolButton icon="copy" label={`Copy ${label}`} onClick={() => void toClipboard(value)} />
          </span>
        </dd>
      </div>
      {shared ? <FieldShare name={name} value={value} run={run} /> : null}
    </div>
  );
}

/** A name breaks behind its dots and dashes; inside a word only when nothing else is left. */
function FieldLabel({ label }: { label: string }) {
  if (label === "") return <>""</>;
  const parts = label.match(/[^._/:-]*[._/:-]+|[^._/:-]+/g) ?? [label];
  return parts.map((part, i) => (
    <Fragment key={i}>
      {i > 0 ? <wbr /> : null}
      <LogText text={part} />
    </Fragment>
  ));
}
