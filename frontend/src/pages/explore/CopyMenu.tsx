/** One record as text, JSON or Markdown, and links to it. */
import { useState } from "react";
import type { LogRecord } from "@/api/client";
import { toClipboard } from "@/lib/clipboard";
import { copied } from "@/lib/copyAs";
import { copyLink } from "@/lib/copyLink";
import { Icon } from "@/ui/icons";
import { MenuItem } from "@/ui/MenuItem";
import { Popover } from "@/ui/Popover";

export function CopyMenu({ record, link }: { record: LogRecord; link: () => string }) {
  const [said, setSaid] = useState("");
  const put = (text: string, what: string, close: () => void) => {
    void toClipboard(text).then((done) => setSaid(done ? `${what} copied` : "The browser allows no copying"));
    close();
  };
  return (
    <>
      <span role="status" className="sr-only">
        {said}
      </span>
      <Popover
        label="Copy the record"
        button={<Icon name="copy" size={13} />}
        buttonClass="grid h-5 w-5 place-content-center rounded text-mute hover:bg-raised hover:text-ink"
      >
        {(close) => (
          <>
            <MenuItem hint="y" onClick={() => put(copied([record], "json"), "JSON", close)}>
              Copy as JSON
            </MenuItem>
            <MenuItem onClick={() => put(copied([record], "text"), "Text", close)}>Copy as text</MenuItem>
            <MenuItem onClick={() => put(copied([record], "markdown"), "Markdown", close)}>
              Copy as Markdown
            </MenuItem>
            <MenuItem
              hint="Y"
              onClick={() => {
                void copyLink(link()).then(setSaid);
                close();
              }}
            >
              Copy link to it
            </MenuItem>
          </>
        )}
      </Popover>
    </>
  );
}
