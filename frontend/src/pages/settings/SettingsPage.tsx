/** Settings of this browser, saved views, and what this installation is. */
import { About } from "@/pages/settings/About";
import { Appearance } from "@/pages/settings/Appearance";
import { KeptHere } from "@/pages/settings/KeptHere";
import { ViewList } from "@/pages/settings/ViewList";

export function SettingsPage() {
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-4xl flex-col gap-3 p-3">
        <Appearance />
        <ViewList />
        <KeptHere />
        <About />
      </div>
    </div>
  );
}
