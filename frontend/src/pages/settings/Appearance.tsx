/** Theme, density, time zone and single keys, as this browser prefers them. */
import { useId, useState } from "react";
import { setSingleKeys, singleKeysOn } from "@/app/keys";
import { chooseTheme, useThemeChoice } from "@/app/theme";
import { useShared } from "@/app/useShared";
import { preferDensity, preferredDensity, preferredZone, preferZone } from "@/lib/preferred";
import { zoneName } from "@/lib/time";
import { Choice } from "@/pages/settings/Choice";
import { Panel } from "@/ui/Panel";

export function Appearance() {
  const theme = useThemeChoice();
  const { setZone } = useShared();
  const [density, setDensity] = useState(preferredDensity);
  const [zone, setPreferred] = useState(preferredZone);
  const [single, setSingle] = useState(singleKeysOn);
  const id = useId();
  return (
    <Panel title="Appearance and keys">
      <dl className="grid items-center gap-x-4 gap-y-1 pt-2 max-sm:[&>dd+dt]:mt-2 sm:grid-cols-[10rem_minmax(0,1fr)] sm:gap-y-3">
        <dt>Theme</dt>
        <dd>
          <Choice
            legend="Theme"
            value={theme}
            onChange={chooseTheme}
            options={[
              ["dark", "Dark"],
              ["light", "Light"],
              ["system", "As the system"],
            ]}
          />
        </dd>
        <dt>Rows of logs</dt>
        <dd>
          <Choice
            legend="Rows of logs"
            value={density}
            onChange={(chosen) => {
              preferDensity(chosen);
              setDensity(chosen);
            }}
            options={[
              ["compact", "Compact"],
              ["normal", "Normal"],
              ["roomy", "Roomy"],
            ]}
          />
        </dd>
        <dt>
          <label htmlFor={`${id}zone`}>Time zone</label>
        </dt>
        <dd className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <select
            id={`${id}zone`}
            value={zone}
            onChange={(event) => {
              preferZone(event.target.value);
              setPreferred(event.target.value);
              // What an address says goes first: this one is to say nothing else.
              setZone(event.target.value);
            }}
            className="h-8 w-56 max-w-full rounded-md border border-line bg-panel px-1.5"
          >
            {["local", "UTC", ...Intl.supportedValuesOf("timeZone")].map((name) => (
              <option key={name} value={name}>
                {name === "local" ? `Local (${zoneName("local")})` : name}
              </option>
            ))}
          </select>
          <span className="text-[12px] text-mute">where an address names no other</span>
        </dd>
        <dt>
          <label htmlFor={`${id}keys`}>Single keys</label>
        </dt>
        <dd className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <input
            id={`${id}keys`}
            type="checkbox"
            checked={single}
            onChange={(event) => {
              setSingleKeys(event.target.checked);
              setSingle(event.target.checked);
            }}
            className="h-4 w-4 accent-(--accent)"
          />
          <span className="text-[12px] text-mute">
            work while nobody types; the sheet of shortcuts has them all
          </span>
        </dd>
      </dl>
    </Panel>
  );
}
