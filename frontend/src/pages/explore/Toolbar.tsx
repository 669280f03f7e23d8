/** How rows are shown, and ways to take them along. */
import { useState } from "react";
import type { LogRecord } from "@/api/client";
import { toClipboard } from "@/lib/clipboard";
import { copyLink } from "@/lib/copyLink";
import { whole } from "@/lib/format";
import type { TimeRange } from "@/lib/time";
import type { Explore } from "@/pages/explore/useExplore";
import type { Run } from "@/pages/explore/useResults";
import { Icon, type IconName } from "@/ui/icons";
import { later } from "@/ui/later";
import { Popover } from "@/ui/Popover";

const ViewName = later(() => import("@/pages/explore/ViewName").then((module) => module.ViewName));
const ViewsMenu = later(() => import("@/pages/explore/ViewsMenu").then((module) => module.ViewsMenu));
const ViewChoices = later(() => import("@/pages/explore/ToolMenus").then((module) => module.ViewChoices));
const ShareChoices = later(() => import("@/pages/explore/ToolMenus").then((module) => module.ShareChoices));
const ExportChoices = later(() => import("@/pages/explore/ToolMenus").then((module) => module.ExportChoices));

interface ToolbarProps {
  readonly explore: Explore;
  readonly run: Run;
  /** As the URL has it, relative or not. */
  readonly range: TimeRange;
  readonly picked: readonly LogRecord[];
  readonly loaded: readonly LogRecord[];
  readonly link: (kind: "relative" | "absolute") => string;
  readonly onUnpick: () => void;
}

export function Toolbar(props: ToolbarProps) {
  const { explore, run, range, picked, loaded, link, onUnpick } = props;
  const [said, setSaid] = useState("");
  const say = (text: string) => {
    setSaid(text);
    setTimeout(() => setSaid(""), 2_500);
  };
  const copy = (text: string, what: string) =>
    void toClipboard(text).then((done) => say(done ? `${what} copied` : "The browser allows no copying"));
  return (
    <div className="flex shrink-0 items-center gap-1.5">
      <span role="status" className="text-[12px] text-good">
        {said}
      </span>
      {picked.length > 0 ? (
        <span className="flex shrink-0 items-center gap-1 text-[12px] whitespace-nowrap text-accent tabular-nums">
          {whole(picked.length)} picked
          <button type="button" className="px-1 text-mute hover:text-ink" onClick={onUnpick}>
            Clear
          </button>
        </span>
      ) : null}
      {explore.search.view ? <ViewName explore={explore} /> : null}
      <Popover label="Saved views" button={<Face icon="bookmark" label="Views" />} buttonClass={FACE}>
        {(close) => <ViewsMenu explore={explore} close={close} onSaid={say} />}
      </Popover>
      {run.piped ? null : (
        <Popover label="View" button={<Face icon="wrap" label="View" />} buttonClass={FACE}>
          {() => <ViewChoices explore={explore} />}
        </Popover>
      )}
      <Popover label="Copy and share" button={<Face icon="link" label="Share" />} buttonClass={FACE}>
        {(close) => (
          <ShareChoices
            run={run}
            range={range}
            picked={picked}
            loaded={loaded}
            link={link}
            put={(text, what) => {
              copy(text, what);
              close();
            }}
            putLink={(href) => {
              void copyLink(href).then(say);
              close();
            }}
          />
        )}
      </Popover>
      <Popover
        label="Export everything that matches"
        button={<Face icon="export" label="Export" />}
        buttonClass={FACE}
      >
        {(close) => <ExportChoices explore={explore} run={run} loaded={loaded} close={close} />}
      </Popover>
    </div>
  );
}

function Face({ icon, label }: { icon: IconName; label: string }) {
  return (
    <>
      <Icon name={icon} size={14} />
      <span className="max-xl:sr-only">{label}</span>
    </>
  );
}

const FACE =
  "flex h-7 items-center gap-1.5 rounded-md border border-line bg-panel px-2 text-[12px] text-mute hover:bg-raised hover:text-ink";
