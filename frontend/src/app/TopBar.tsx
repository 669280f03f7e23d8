/** Time range, zone, theme and whether the server answers: the same on every page. */
import { useQuery } from "@tanstack/react-query";
import { useRouterState } from "@tanstack/react-router";
import { answered, api } from "@/api/client";
import { openKeySheet } from "@/app/KeySheet";
import { currentShortcuts } from "@/app/keys";
import { TimePicker } from "@/app/TimePicker";
import { chooseTheme, type ThemeChoice, useThemeChoice } from "@/app/theme";
import { useShared } from "@/app/useShared";
import { zoneName } from "@/lib/time";
import { Icon } from "@/ui/icons";
import { Popover } from "@/ui/Popover";

const TITLES: Readonly<Record<string, string>> = {
  "/": "Overview",
  "/explore": "Explore",
  "/live": "Live tail",
  "/pipeline": "Pipeline",
};

export function TopBar() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  // What is live has no range; the one that was chosen is kept in the address for the other pages.
  const hasRange = path !== "/live";
  return (
    <header className="flex min-w-0 items-center gap-2 border-b border-line bg-panel px-3">
      <h1 className="truncate text-[14px] font-semibold max-sm:sr-only">{TITLES[path] ?? "LogStream"}</h1>
      <span className="mr-auto" />
      <Connection />
      {hasRange ? <TimePicker /> : null}
      <ZonePicker />
      <ThemePicker />
      <button
        type="button"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        className="grid h-8 w-8 shrink-0 place-content-center rounded-md border border-line hover:bg-raised max-sm:hidden"
        onClick={() => openKeySheet(currentShortcuts())}
      >
        <Icon name="keyboard" />
      </button>
    </header>
  );
}

/** A dot and a word: connected, not ready (with the reason), or offline. */
function Connection() {
  const ready = useQuery({
    queryKey: ["ready"],
    queryFn: ({ signal }) => answered(api.GET("/ready", { signal })),
    refetchInterval: 10_000,
    retry: false,
  });
  const [colour, word] = ready.isError
    ? (["bg-error", "Not answering"] as const)
    : ready.data
      ? (["bg-good", "Connected"] as const)
      : (["bg-mute", "Connecting"] as const);
  return (
    <span
      className="flex items-center gap-1.5 text-[12px] text-mute"
      role="status"
      title={ready.error?.message ?? word}
    >
      <span aria-hidden="true" className={`h-2 w-2 rounded-full ${colour}`} />
      <span className="hidden lg:inline">{word}</span>
    </span>
  );
}

const ZONES = ["local", "UTC"];

function ZonePicker() {
  const { zone, setZone } = useShared();
  const all = [...ZONES, ...Intl.supportedValuesOf("timeZone")];
  return (
    <label className="flex shrink-0 items-center">
      <span className="sr-only">Time zone</span>
      <select
        value={zone}
        title={`Time zone: ${zoneName(zone)}`}
        onChange={(event) => setZone(event.target.value)}
        className="h-8 w-28 rounded-md max-sm:w-20 border border-line bg-panel px-1.5"
      >
        {all.map((name) => (
          <option key={name} value={name}>
            {name === "local" ? "Local" : name}
          </option>
        ))}
      </select>
    </label>
  );
}

const THEMES: readonly { value: ThemeChoice; label: string }[] = [
  { value: "dark", label: "Dark" },
  { value: "light", label: "Light" },
  { value: "system", label: "As the system" },
];

function ThemePicker() {
  const choice = useThemeChoice();
  return (
    <Popover
      label="Theme"
      button={<Icon name={choice === "light" ? "sun" : "moon"} />}
      buttonClass="grid h-8 w-8 shrink-0 place-content-center rounded-md border border-line hover:bg-raised"
    >
      {(close) =>
        THEMES.map(({ value, label }) => (
          <button
            key={value}
            type="button"
            aria-pressed={choice === value}
            className="block w-full rounded px-2 py-1 text-left hover:bg-raised aria-pressed:bg-selected"
            onClick={() => {
              chooseTheme(value);
              close();
            }}
          >
            {label}
          </button>
        ))
      }
    </Popover>
  );
}
