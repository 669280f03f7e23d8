/** One pattern: what it says, how much of it there is, and how that changed. */
import { memo } from "react";
import { whole } from "@/lib/format";
import { LEVEL_TEXT, levelLabel } from "@/lib/levels";
import { age, showTimestamp, type Zone } from "@/lib/time";
import { changeText, mainLevel, type Pattern, shareText } from "@/pages/patterns/patterns";
import { TemplateText } from "@/pages/patterns/TemplateText";
import { CELL } from "@/pages/patterns/widths";
import { Sparkline } from "@/ui/Sparkline";

interface PatternRowProps {
  readonly pattern: Pattern;
  readonly index: number;
  readonly zone: Zone;
  readonly exact: boolean;
  readonly active: boolean;
  readonly open: boolean;
}

export const PatternRow = memo(function PatternRow(props: PatternRowProps) {
  const { pattern, index, zone, exact, active, open } = props;
  const level = mainLevel(pattern);
  const [service, ...others] = pattern.services;
  return (
    <div
      id={`pattern-${index}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={open}
      data-index={index}
      className={`relative flex min-h-9 cursor-pointer items-center gap-3 border-b border-line/60 px-3 py-1.5 tabular-nums hover:bg-raised/60 ${open ? "bg-selected" : ""} ${active ? "shadow-[inset_2px_0_0_var(--accent)]" : ""}`}
    >
      <span role="gridcell" className={`${CELL.template} flex items-start gap-2`}>
        <span className="line-clamp-2 min-w-0 font-mono text-[12px] leading-5 break-words">
          <TemplateText pattern={pattern} />
        </span>
        {pattern.new ? <New /> : null}
      </span>
      <span role="gridcell" className={`${CELL.level} text-[11px] ${LEVEL_TEXT[level] ?? "text-mute"}`}>
        {levelLabel(level)}
      </span>
      <span
        role="gridcell"
        className={`${CELL.service} text-[12px] text-mute`}
        title={pattern.services.map((one) => one.value).join(", ")}
      >
        <bdi>{service?.value || "—"}</bdi>
        {others.length > 0 ? ` +${others.length}` : ""}
      </span>
      <span role="gridcell" className={`${CELL.count} text-right`}>
        {exact ? "" : "≈ "}
        {whole(pattern.count)}
      </span>
      <span role="gridcell" className={`${CELL.share} text-right text-mute`}>
        {shareText(pattern.share)}
        <span aria-hidden="true" className="mt-0.5 block h-[3px] rounded-full bg-raised">
          <span
            className="block h-full rounded-full bg-accent/70"
            style={{ width: `${Math.max(pattern.share * 100, 1)}%` }}
          />
        </span>
      </span>
      <span role="gridcell" className={CELL.volume}>
        <Sparkline
          series={pattern.series}
          className={`h-5 w-full ${level === "" ? "text-mute" : (LEVEL_TEXT[level] ?? "text-mute")}`}
        />
      </span>
      <span
        role="gridcell"
        className={`${CELL.change} text-right text-[12px] text-mute`}
        title={`${exact ? "" : "about "}${whole(pattern.previous)} in the window before`}
      >
        {changeText(pattern)}
      </span>
      <Moment at={pattern.first_seen} zone={zone} cell={CELL.first} />
      <Moment at={pattern.last_seen} zone={zone} cell={CELL.last} />
    </div>
  );
});

export function New() {
  return (
    <span
      title="None of it was there in the window before"
      className="mt-0.5 shrink-0 rounded border border-good/60 px-1 text-[10px] leading-4 font-medium text-good"
    >
      New
    </span>
  );
}

function Moment({ at, zone, cell }: { at: string; zone: Zone; cell: string }) {
  return (
    <span
      role="gridcell"
      className={`${cell} truncate text-right text-[12px] text-mute`}
      title={showTimestamp(at, zone, { date: true, digits: 3 })}
    >
      {age(at, Date.now())}
    </span>
  );
}
