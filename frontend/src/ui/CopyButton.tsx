/** Copies a text and says so. */
import { useEffect, useState } from "react";
import { Icon } from "@/ui/icons";

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<"" | "Copied" | "Select it and copy by hand">("");
  useEffect(() => {
    if (state === "") return;
    const later = setTimeout(() => setState(""), 2_000);
    return () => clearTimeout(later);
  }, [state]);
  const copy = () => {
    // Browsers give no clipboard to pages over plain HTTP from another machine.
    if (!navigator.clipboard) setState("Select it and copy by hand");
    else
      navigator.clipboard.writeText(text).then(
        () => setState("Copied"),
        () => setState("Select it and copy by hand"),
      );
  };
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={copy}
      className="flex h-7 items-center gap-1.5 rounded-md border border-line bg-panel px-2 text-[12px] text-mute hover:bg-raised hover:text-ink"
    >
      <Icon name={state === "Copied" ? "check" : "copy"} size={14} />
      <span role="status">{state || "Copy"}</span>
    </button>
  );
}
