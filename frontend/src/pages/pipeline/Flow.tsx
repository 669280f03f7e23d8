/** Receive → Validate → Queue → Batch → Database, with the rate at each step. */
import { BORDER } from "@/pages/pipeline/Parts";
import { type Pipeline, perSecond, STEPS, severityOf } from "@/pages/pipeline/pipeline";
import { Icon } from "@/ui/icons";
import { Sparkline } from "@/ui/Sparkline";

export function Flow({ pipeline }: { pipeline: Pipeline }) {
  return (
    <ol aria-label="From receiving to storing" className="grid grid-cols-1 gap-2 sm:grid-cols-5 sm:gap-5">
      {STEPS.map((step, i) => {
        const stage = pipeline.stages.find((one) => one.name === step.name);
        const severity = severityOf(pipeline.warnings, [step.name]);
        return (
          <li key={step.name} className="relative min-w-0">
            {i > 0 ? (
              <span
                aria-hidden="true"
                className="absolute top-1/2 -left-[18px] hidden -translate-y-1/2 text-mute sm:block"
              >
                <Icon name="right" />
              </span>
            ) : null}
            <div
              title={step.does}
              className={`flex flex-col overflow-hidden rounded-lg border bg-panel ${severity ? BORDER[severity] : "border-line"}`}
            >
              <span className="flex items-center gap-1.5 px-3 pt-2 text-[12px] font-medium text-mute">
                {step.label}
                {severity && severity !== "info" ? (
                  <span className={severity === "critical" ? "text-error" : "text-warn"}>
                    <Icon name="warn" size={13} />
                    <span className="sr-only">{severity}</span>
                  </span>
                ) : null}
              </span>
              <span className="px-3 text-[20px] leading-7 font-semibold tracking-tight tabular-nums">
                {perSecond(stage?.records_per_s ?? null)}
                <span className="text-[12px] font-normal tracking-normal text-mute"> /s</span>
              </span>
              <Sparkline series={stage?.series ?? []} className="mt-1 h-8 w-full text-accent" />
            </div>
          </li>
        );
      })}
    </ol>
  );
}
