/** One pattern: its volume, what its tokens stand for, records of it, and what to do with it. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { LogRecord } from "@/api/client";
import { keepShared } from "@/app/kept";
import type { SharedSearch } from "@/app/search";
import { LevelHistogram } from "@/charts/LevelHistogram";
import { percent, whole } from "@/lib/format";
import { LEVEL_TEXT, levelLabel } from "@/lib/levels";
import { showTimestamp, type TimeRange, type Zone } from "@/lib/time";
import { DrawerFrame } from "@/pages/explore/DrawerFrame";
import { New } from "@/pages/patterns/PatternRow";
import { changeText, narrowed, type Pattern, shareText } from "@/pages/patterns/patterns";
import { TemplateText } from "@/pages/patterns/TemplateText";
import { TokenValues } from "@/pages/patterns/TokenValues";
import { type Asked, useSamplesOf, useVolumeOf } from "@/pages/patterns/usePatterns";
import { CopyButton } from "@/ui/CopyButton";
import { Icon } from "@/ui/icons";
import { LogText } from "@/ui/LogText";
import { Failure } from "@/ui/Panel";
import { ToolButton } from "@/ui/ToolButton";

interface InspectorProps {
  readonly pattern: Pattern;
  readonly asked: Asked;
  readonly exact: boolean;
  readonly zone: Zone;
  readonly width: number | undefined;
  readonly onWidth: (width: number) => void;
  readonly onStep: (step: number) => void;
  readonly onRange: (range: TimeRange) => void;
  readonly onClose: () => void;
}

export function Inspector(props: InspectorProps) {
  const { pattern, asked, exact, zone, width, onWidth, onStep, onRange, onClose } = props;
  const own = { ...asked, query: narrowed(asked.query, [pattern.filter], false) };
  return (
    <DrawerFrame label="Pattern" width={width} onWidth={onWidth}>
      <header className="flex h-9 shrink-0 items-center gap-2 border-b border-line px-3 text-[12px]">
        <h2 className="font-medium">Pattern</h2>
        {pattern.new ? <New /> : null}
        <span className="ml-auto flex items-center gap-0.5">
          <ToolButton icon="left" label="Previous pattern (k)" size={14} onClick={() => onStep(-1)} />
          <ToolButton icon="right" label="Next pattern (j)" size={14} onClick={() => onStep(1)} />
          <ToolButton icon="close" label="Close (Esc)" size={14} onClick={onClose} />
        </span>
      </header>
      <section
        aria-label="The pattern"
        className="min-h-0 flex-1 overflow-auto pb-4"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
        tabIndex={0}
      >
        <p className="px-3 pt-3 font-mono text-[12px] leading-5 break-words">
          <TemplateText pattern={pattern} />
        </p>
        <div className="flex flex-wrap items-center gap-2 px-3 py-3">
          <Explore query={own.query} icon="plus">
            Only these
          </Explore>
          <Explore query={narrowed(asked.query, [pattern.filter], true)} icon="minus">
            Without these
          </Explore>
          <CopyButton text={pattern.filter} label="Copy the filter" />
        </div>
        <Facts pattern={pattern} exact={exact} zone={zone} />
        <Part title="Volume">
          <Volume own={own} zone={zone} onRange={onRange} />
        </Part>
        {pattern.tokens.length > 0 ? (
          <Part title={`Values, of ${whole(pattern.sampled)} records looked at`}>
            <div className="space-y-3">
              {pattern.tokens.map((token, i) => (
                // tokens of one pattern never move
                <div key={i}>
                  <TokenValues token={token} total={pattern.sampled} />
                </div>
              ))}
            </div>
          </Part>
        ) : null}
        <Part title="Newest records">
          <Samples own={own} zone={zone} />
        </Part>
      </section>
    </DrawerFrame>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="border-t border-line/60 px-3 pt-2 pb-3">
      <h3 className="mb-1 text-[12px] text-mute">{title}</h3>
      {children}
    </section>
  );
}

interface ExploreProps {
  readonly query: string;
  readonly icon: "plus" | "minus";
  readonly children: ReactNode;
}

function Explore({ query, icon, children }: ExploreProps) {
  return (
    <Link
      to="/explore"
      search={(old: SharedSearch) => ({ ...keepShared(old), q: query })}
      title={`Explore: ${query}`}
      className="flex h-7 items-center gap-1.5 rounded-md border border-line bg-panel px-2.5 text-[12px] hover:bg-raised"
    >
      <Icon name={icon} size={12} />
      {children}
    </Link>
  );
}

function Facts({ pattern, exact, zone }: Pick<InspectorProps, "pattern" | "exact" | "zone">) {
  const time = (at: string) => showTimestamp(at, zone, { date: true, digits: 3 });
  const levels = Object.entries(pattern.levels).toReversed();
  return (
    <dl className="grid grid-cols-[88px_minmax(0,1fr)] gap-x-3 gap-y-0.5 px-3 pb-3 text-[12px] tabular-nums [&>dt]:text-mute">
      <dt>Count</dt>
      <dd>
        {exact ? "" : "≈ "}
        {whole(pattern.count)} · {shareText(pattern.share)}
      </dd>
      <dt>Before</dt>
      <dd>
        {exact ? "" : "≈ "}
        {whole(pattern.previous)} {changeText(pattern) ? `· ${changeText(pattern)}` : ""}
      </dd>
      <dt>Levels</dt>
      <dd className="flex flex-wrap gap-x-3">
        {levels.map(([level, count]) => (
          <span key={level}>
            <span className={LEVEL_TEXT[level] ?? "text-mute"}>{levelLabel(level)}</span>{" "}
            {pattern.count > 0 ? percent(count / pattern.count) : ""}
          </span>
        ))}
      </dd>
      <dt>Services</dt>
      <dd className="truncate">
        <bdi>{pattern.services.map((one) => one.value || "(none)").join(", ")}</bdi>
      </dd>
      <dt>First seen</dt>
      <dd>{time(pattern.first_seen)}</dd>
      <dt>Last seen</dt>
      <dd>{time(pattern.last_seen)}</dd>
    </dl>
  );
}

function Volume({ own, zone, onRange }: { own: Asked; zone: Zone; onRange: InspectorProps["onRange"] }) {
  const volume = useVolumeOf(own);
  if (volume.isError) return <Failure query={volume} />;
  if (!volume.data) return <div role="status" aria-label="Loading" className="h-[116px]" />;
  return (
    <div className="-mx-2">
      <LevelHistogram answer={volume.data} zone={zone} onRange={(from, to) => onRange({ from, to })} />
    </div>
  );
}

function Samples({ own, zone }: { own: Asked; zone: Zone }) {
  const samples = useSamplesOf(own);
  if (samples.isError) return <Failure query={samples} />;
  if (!samples.data) return <p className="text-mute">Loading…</p>;
  return (
    <ul className="space-y-1">
      {(samples.data.records as readonly LogRecord[]).map((record) => (
        <li key={record.id} className="flex gap-2 font-mono text-[12px] leading-5">
          <span className="shrink-0 text-mute tabular-nums">
            {showTimestamp(record.timestamp, zone, { date: false, digits: 3 })}
          </span>
          <span className="line-clamp-3 min-w-0 break-words">
            <LogText text={record.message} />
          </span>
        </li>
      ))}
    </ul>
  );
}
