/** Records the store would not take: look at them, put them back into the queue, or forget them. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api, type Schema } from "@/api/client";
import { bytes, whole } from "@/lib/format";
import { showTimestamp, type Zone } from "@/lib/time";
import { Confirm } from "@/pages/pipeline/Confirm";
import { Icon } from "@/ui/icons";
import { LogText } from "@/ui/LogText";
import { Panel } from "@/ui/Panel";

type Letter = Schema["DeadLetterAnswer"];

const SHOWN = 50;

export function DeadLetters({ waiting, zone }: { waiting: number | null; zone: Zone }) {
  const letters = useQuery({
    // Asked again only when their number changes.
    queryKey: ["dead-letters", waiting],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/dead-letters", { params: { query: { limit: SHOWN } }, signal })),
    placeholderData: (before) => before,
  });
  const act = useActions();
  const [asked, setAsked] = useState<readonly string[] | null>(null);
  const total = letters.data?.total ?? 0;
  const actions = (ids: readonly string[]) => (
    <Actions
      busy={act.busy}
      onReplay={() => act.replay(ids)}
      onDelete={() => setAsked(ids)}
      all={ids[0] === "all"}
    />
  );
  return (
    <Panel
      title="Dead letters"
      query={letters}
      {...(total > 0 ? { actions: actions(["all"]) } : {})}
      className={total > 0 ? "border-warn!" : ""}
    >
      {({ dead_letters: shown }) => (
        <>
          <p role="status" className="text-mute">
            {act.said}
          </p>
          {total === 0 ? (
            <p className="py-3 text-mute">
              None. What the store would not take waits here to be looked at, never lost.
            </p>
          ) : null}
          <ul className="divide-y divide-line">
            {shown.map((letter) => (
              <LetterRow key={letter.id} letter={letter} zone={zone} actions={actions([letter.id])} />
            ))}
          </ul>
          {total > shown.length ? (
            <p className="pt-1 text-mute">and {whole(total - shown.length)} older ones</p>
          ) : null}
          {asked ? (
            <Confirm
              title={asked[0] === "all" ? `Delete ${whole(total)} dead letters?` : "Delete this dead letter?"}
              says="Their records are gone for good then."
              action="Delete"
              onYes={() => act.forget(asked)}
              onClose={() => setAsked(null)}
            />
          ) : null}
        </>
      )}
    </Panel>
  );
}

function useActions() {
  const queries = useQueryClient();
  const [said, setSaid] = useState("");
  const after = {
    onError: (error: Error) => setSaid(error.message),
    onSettled: () => queries.invalidateQueries({ queryKey: ["dead-letters"] }),
  };
  const replay = useMutation({
    mutationFn: (ids: readonly string[]) =>
      answered(api.POST("/api/v1/dead-letters/replay", { body: { ids: [...ids] } })),
    onSuccess: (done) => setSaid(`${whole(done.records)} records are in the queue again`),
    ...after,
  });
  const forget = useMutation({
    mutationFn: (ids: readonly string[]) =>
      answered(api.DELETE("/api/v1/dead-letters", { params: { query: { ids: ids.join(",") } } })),
    onSuccess: (done) => setSaid(`${whole(done.dead_letters)} deleted`),
    ...after,
  });
  return { said, replay: replay.mutate, forget: forget.mutate, busy: replay.isPending || forget.isPending };
}

interface ActionsProps {
  busy: boolean;
  all: boolean;
  onReplay: () => void;
  onDelete: () => void;
}

const BUTTON =
  "rounded-md border border-line px-2 text-[12px] leading-6 hover:bg-raised disabled:opacity-50 disabled:hover:bg-transparent";

function Actions({ busy, all, onReplay, onDelete }: ActionsProps) {
  return (
    <span className="flex shrink-0 gap-1.5">
      <button type="button" className={BUTTON} disabled={busy} onClick={onReplay}>
        {all ? "Replay all" : "Replay"}
      </button>
      <button type="button" className={`${BUTTON} text-error`} disabled={busy} onClick={onDelete}>
        {all ? "Delete all…" : "Delete…"}
      </button>
    </span>
  );
}

interface LetterRowProps {
  letter: Letter;
  zone: Zone;
  actions: React.ReactNode;
}

function LetterRow({ letter, zone, actions }: LetterRowProps) {
  const [open, setOpen] = useState(false);
  return (
    <li className="py-1.5">
      <div className="flex items-center gap-2">
        <button
          type="button"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="flex min-w-0 flex-1 items-baseline gap-2 rounded-md px-1 py-0.5 text-left hover:bg-raised"
        >
          <span className="self-center text-mute">
            <Icon name={open ? "down" : "right"} size={12} />
          </span>
          <time dateTime={letter.at} className="shrink-0 font-mono text-[12px] text-mute tabular-nums">
            {showTimestamp(letter.at, zone, { date: true, digits: 0 })}
          </time>
          <span className={open ? "break-words" : "truncate"}>
            <LogText text={letter.reason} />
          </span>
          <span className="ml-auto shrink-0 text-mute tabular-nums">
            {whole(letter.rows)} {letter.rows === 1 ? "record" : "records"} · {bytes(letter.bytes)}
          </span>
        </button>
        {actions}
      </div>
      {open ? <Records letter={letter} /> : null}
    </li>
  );
}

function Records({ letter }: { letter: Letter }) {
  if (letter.records.length === 0)
    return <p className="px-6 py-1 text-mute">Its bytes do not read as records: the reason says why.</p>;
  return (
    <div className="mt-1 mb-2 ml-6">
      {letter.records.map((record, i) => (
        <pre
          key={i}
          className="mb-1 max-h-64 overflow-auto rounded-md bg-page px-3 py-2 font-mono text-[12px] leading-5 break-words whitespace-pre-wrap"
        >
          <LogText text={JSON.stringify(record, null, 2)} />
        </pre>
      ))}
      {letter.rows > letter.records.length ? (
        <p className="text-mute">The first {letter.records.length} are shown</p>
      ) : null}
    </div>
  );
}
