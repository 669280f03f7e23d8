/** Time range, zone, theme and whether the server answers: the same on every page. */
import { useQuery } from "@tanstack/react-query";
import { useRouterState } from "@tanstack/react-router";
import { useState } from "react";
import { ApiError, againIn, answered, api } from "@/api/client";
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
  "/patterns": "Patterns",
  "/pipeline": "Pipeline",
  "/settings": "Settings",
};

export function TopBar() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  // What is live has no range; the one that was chosen is kept in the address for the other pages.
  const hasRange = path !== "/live" && path !== "/settings";
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
    ? whyNot(ready.error)
    : ready.data
      ? (["bg-good", "Connected"] as const)
      : (["bg-mute", "Connecting"] as const);
  return (
    <span className="flex items-center gap-1.5 text-[12px] text-mute" role="status" title={word}>
      <span aria-hidden="true" className={`h-2 w-2 rounded-full ${colour}`} />
      <span className="hidden max-w-80 truncate lg:inline">{word}</span>
    </span>
  );
}

/** What the server says of itself, or that it says nothing. */
function whyNot(error: Error): readonly [colour: string, words: string] {
  if (!(error instanceof ApiError) || error.body.code === "unreadable") return ["bg-error", "Not answering"];
  return ["bg-warn", `Not ready: ${error.message}${againIn(error)}`];
}

const ZONES = ["local", "UTC"];
const every = () => [...ZONES, ...Intl.supportedValuesOf("timeZone")];

function ZonePicker() {
  const { zone, setZone } = useShared();
  // Some four hundred elements: not before somebody is about to choose.
  const [asked, setAsked] = useState(false);
  const all = asked ? every() : [...new Set([...ZONES, zone])];
  return (
    <label className="flex shrink-0 items-center">
      <span className="sr-only">Time zone</span>
      <select
        value={zone}
        title={`Time zone: ${zoneName(zone)}`}
        onFocus={() => setAsked(true)}
        onPointerDown={() => setAsked(true)}
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
