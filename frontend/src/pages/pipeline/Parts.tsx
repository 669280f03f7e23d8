/** What the pipeline's panels are made of: a frame with its advice, pairs of name and number, causes. */
import type { ReactNode } from "react";
import type { Schema } from "@/api/client";
import { compact, whole } from "@/lib/format";
import { type Advice, reasonLabel, type Severity, severityOf } from "@/pages/pipeline/pipeline";
import { Icon } from "@/ui/icons";
import { Panel } from "@/ui/Panel";

export const BORDER: Readonly<Record<Severity, string>> = {
  critical: "border-error",
  warning: "border-warn",
  info: "border-line",
};
// Over the border that every panel has.
const PANEL_BORDER: Readonly<Record<Severity, string>> = {
  critical: "border-error!",
  warning: "border-warn!",
  info: "",
};
const TEXT: Readonly<Record<Severity, string>> = {
  critical: "text-error",
  warning: "text-warn",
  info: "text-info",
};

interface StepPanelProps {
  title: string;
  /** Names of the API's panels whose advice belongs here. */
  panels: readonly string[];
  warnings: readonly Advice[];
  actions?: ReactNode;
  className?: string;
  children: ReactNode;
}

export function StepPanel({ title, panels, warnings, actions, className = "", children }: StepPanelProps) {
  const own = warnings.filter((one) => panels.includes(one.panel));
  const severity = severityOf(warnings, panels);
  return (
    <div id={`panel-${panels[0] ?? title}`} className={`min-w-0 scroll-mt-3 ${className}`}>
      <Panel title={title} actions={actions} className={`h-full ${severity ? PANEL_BORDER[severity] : ""}`}>
        {own.map((one) => (
          <AdviceNote key={one.message} advice={one} />
        ))}
        {children}
      </Panel>
    </div>
  );
}

const SAYS: Readonly<Record<Severity, string>> = { critical: "Critical", warning: "Warning", info: "Note" };

function AdviceNote({ advice }: { advice: Advice }) {
  return (
    <div className="mt-1.5 mb-2 flex gap-2 rounded-md bg-raised px-2.5 py-1.5">
      <span className={`pt-0.5 ${TEXT[advice.severity]}`}>
        <Icon name="warn" />
      </span>
      <div className="min-w-0">
        <p className="font-medium break-words">
          <span className={TEXT[advice.severity]}>{SAYS[advice.severity]}: </span>
          {advice.message}
        </p>
        <p className="break-words text-mute">→ {advice.change}</p>
      </div>
    </div>
  );
}

/** Name and number, name and number. */
export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="mt-1 grid grid-cols-[minmax(0,1fr)_auto] gap-x-3 gap-y-0.5 tabular-nums">
      {facts.map(([name, value]) => (
        <div key={name} className="col-span-2 grid grid-cols-subgrid">
          <dt className="truncate text-mute">{name}</dt>
          <dd className="text-right">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface CausesProps {
  title: string;
  causes: readonly Schema["Cause"][];
  fill: string;
  empty: string;
}

/** How often something happened for which reason: in the window, and since the start. */
export function Causes({ title, causes, fill, empty }: CausesProps) {
  const largest = Math.max(...causes.map((one) => one.recent), 1);
  return (
    <section aria-label={title} className="mt-3">
      <h3 className="flex justify-between text-[11px] text-mute">
        {title}
        {causes.length > 0 ? <span>recent · since start</span> : null}
      </h3>
      {causes.length === 0 ? <p className="text-mute">{empty}</p> : null}
      <ul>
        {causes.map((cause) => (
          <li
            key={cause.reason}
            className="grid grid-cols-[minmax(0,1fr)_auto_56px] items-baseline gap-x-2 py-0.5 tabular-nums"
          >
            <span className="truncate" title={cause.reason}>
              {reasonLabel(cause.reason)}
            </span>
            <span>{whole(cause.recent)}</span>
            <span className="text-right text-mute">{compact(cause.total)}</span>
            <Meter share={cause.recent / largest} fill={fill} className="col-span-3" />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface MeterProps {
  share: number;
  fill: string;
  className?: string;
}

/** A bar that a number stands beside: decoration. */
export function Meter({ share, fill, className = "" }: MeterProps) {
  const width = share > 0 ? Math.min(Math.max(share * 100, 0.5), 100) : 0;
  return (
    <span aria-hidden="true" className={`block h-[3px] rounded-full bg-raised ${className}`}>
      <span
        className="block h-full rounded-full"
        style={{ width: `${width}%`, background: `var(${fill})` }}
      />
    </span>
  );
}
