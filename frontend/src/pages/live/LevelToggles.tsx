/** Follow some levels only; none pressed is all of them. */
import { LEVEL_TEXT, LEVELS, levelLabel } from "@/lib/levels";
import { LEVEL_BAR } from "@/pages/explore/layout";

interface LevelTogglesProps {
  readonly levels: readonly string[];
  readonly onChange: (levels: readonly string[]) => void;
}

export function LevelToggles({ levels, onChange }: LevelTogglesProps) {
  return (
    <fieldset className="flex min-w-0 rounded-md border border-line bg-panel">
      <legend className="sr-only">Levels: none pressed follows all</legend>
      {LEVELS.map((level) => {
        const on = levels.includes(level);
        const quiet = levels.length > 0 && !on;
        return (
          <button
            key={level}
            type="button"
            aria-pressed={on}
            title={on ? `Leave ${level} out` : `Follow ${level}`}
            onClick={() => onChange(on ? levels.filter((one) => one !== level) : [...levels, level])}
            className={`flex h-7 items-center gap-1.5 border-r border-line px-2 text-[11px] font-medium @max-sm:px-1 first:rounded-l-[5px] last:rounded-r-[5px] last:border-r-0 hover:bg-raised aria-pressed:bg-selected ${quiet ? "text-mute" : (LEVEL_TEXT[level] ?? "")}`}
          >
            <span
              aria-hidden="true"
              className={`h-2 w-2 rounded-[2px] @max-md:hidden ${quiet ? "bg-line" : (LEVEL_BAR[level] ?? "bg-line")}`}
            />
            {levelLabel(level)}
          </button>
        );
      })}
    </fieldset>
  );
}
