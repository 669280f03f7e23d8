/** A page that could not be loaded or shown: the rail and the other pages go on working. */
import type { ErrorComponentProps } from "@tanstack/react-router";
import { Icon } from "@/ui/icons";

export function PageFailed({ error }: ErrorComponentProps) {
  return (
    <div role="alert" className="grid h-full place-content-center justify-items-center gap-2 p-4 text-center">
      <p className="flex items-center gap-1.5 text-[14px] text-error">
        <Icon name="warn" />
        This page could not be shown
      </p>
      <p className="max-w-[60ch] break-words text-mute">
        {error instanceof Error ? error.message : String(error)}
      </p>
      <button
        type="button"
        className="rounded-md border border-line px-3 py-1 hover:bg-raised"
        onClick={() => location.reload()}
      >
        Load it again
      </button>
    </div>
  );
}
