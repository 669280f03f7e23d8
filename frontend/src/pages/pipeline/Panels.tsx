/** One panel for each part of the pipeline. */
import { bytes, compact, percent, whole } from "@/lib/format";
import { Causes, Facts, Meter, StepPanel } from "@/pages/pipeline/Parts";
import { duration, fullIn, oneWriteFor, type Pipeline, perSecond } from "@/pages/pipeline/pipeline";

interface PartProps {
  pipeline: Pipeline;
}

export function ReceivePanel({ pipeline }: PartProps) {
  const { received_bytes_per_s: received } = pipeline;
  return (
    <StepPanel title="Receive and validate" panels={["receive", "validate"]} warnings={pipeline.warnings}>
      <Facts facts={[["Bytes received", received === null ? "–" : `${bytes(received)}/s`]]} />
      <Causes
        title="Requests by answer"
        causes={pipeline.requests}
        fill="--fill-info"
        empty="No requests yet"
      />
      <Causes
        title="Records rejected by cause"
        causes={pipeline.rejected}
        fill="--fill-warn"
        empty="None was rejected"
      />
    </StepPanel>
  );
}

function fillOf(fill: number): string {
  if (fill >= 0.9) return "--fill-error";
  return fill >= 0.5 ? "--fill-warn" : "--fill-info";
}

const inUse = (fill: number): string =>
  fill > 0 && fill < 1e-4 ? "< 0.01 %" : percent(fill, fill < 0.01 ? 2 : 1);

export function QueuePanel({ pipeline }: PartProps) {
  const { queue, warnings } = pipeline;
  return (
    <StepPanel title="Queue" panels={["queue"]} warnings={warnings}>
      {queue ? (
        <>
          <p className="mt-1 flex items-baseline gap-1.5 tabular-nums">
            <span className="text-[20px] leading-7 font-semibold tracking-tight">{whole(queue.records)}</span>
            <span className="text-mute">records wait</span>
            <span className="ml-auto text-mute">
              {bytes(queue.bytes)} of {bytes(queue.capacity_bytes)}
            </span>
          </p>
          <div
            role="meter"
            aria-label="Queue's capacity in use"
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(queue.fill * 100)}
            className="mt-1 h-2 overflow-hidden rounded-full bg-raised"
          >
            <div
              className="h-full rounded-full"
              style={{
                width: `${Math.min(queue.fill * 100, 100)}%`,
                background: `var(${fillOf(queue.fill)})`,
              }}
            />
          </div>
          <Facts
            facts={[
              ["In use", inUse(queue.fill)],
              [
                "Oldest waits for",
                queue.oldest_age_s === null ? "nothing waits" : duration(queue.oldest_age_s),
              ],
              ["Full in", fullIn(queue.full_in_s)],
              ["Entries", whole(queue.entries)],
              ["Set aside as corrupt", whole(queue.quarantined)],
            ]}
          />
          <p className="mt-2 text-[12px] text-mute">{queue.durability}</p>
        </>
      ) : (
        <p className="py-4 text-center text-mute">The queue cannot be asked now</p>
      )}
    </StepPanel>
  );
}

export function BatchPanel({ pipeline }: PartProps) {
  const { batch, warnings } = pipeline;
  const saved = batch.writes_saved_recent ?? batch.writes_saved;
  return (
    <StepPanel title="Batches" panels={["batch"]} warnings={warnings}>
      <p className="mt-1 flex items-baseline gap-1.5 tabular-nums">
        <span className="text-[20px] leading-7 font-semibold tracking-tight text-good">
          {saved === null ? "–" : `${(Math.floor(saved * 1e4) / 100).toFixed(2)} %`}
        </span>
        <span className="text-mute">of database writes saved</span>
      </p>
      <Meter share={saved ?? 0} fill="--good" className="mt-1 h-2!" />
      <Facts
        facts={[
          ["Which is", oneWriteFor(saved)],
          ["Batches", `${perSecond(batch.groups_per_s)} /s`],
          ["Records, p50 · p95", `${sizeOf(batch.size_p50)} · ${sizeOf(batch.size_p95)}`],
        ]}
      />
      <Causes
        title="Written because"
        causes={batch.flushes}
        fill="--fill-info"
        empty="Nothing was written yet"
      />
    </StepPanel>
  );
}

const sizeOf = (value: number | null): string => (value === null ? "–" : compact(Math.round(value)));

export function DatabasePanel({ pipeline }: PartProps) {
  const { batch, tails } = pipeline;
  return (
    <StepPanel title="Database and live tails" panels={["database"]} warnings={pipeline.warnings}>
      <Facts
        facts={[
          ["Insert takes, p50 · p95", `${duration(batch.insert_p50_s)} · ${duration(batch.insert_p95_s)}`],
        ]}
      />
      <Causes
        title="Inserts tried again"
        causes={pipeline.retried}
        fill="--fill-warn"
        empty="None had to be"
      />
      <Causes
        title="Records dead-lettered"
        causes={pipeline.dead_lettered}
        fill="--fill-error"
        empty="None"
      />
      <h3 className="mt-3 text-[11px] text-mute">Live tails</h3>
      <Facts
        facts={[
          ["Open", whole(tails.open)],
          ["Records sent", compact(tails.records)],
          [
            "Too slow for",
            tails.dropped === 0 ? "none" : <span className="text-warn">{compact(tails.dropped)}</span>,
          ],
        ]}
      />
    </StepPanel>
  );
}
