/** Asks before something that cannot be undone; the safe answer has the focus. */
import { Dialog } from "@/ui/Dialog";

interface ConfirmProps {
  title: string;
  says: string;
  action: string;
  onYes: () => void;
  onClose: () => void;
}

export function Confirm({ title, says, action, onYes, onClose }: ConfirmProps) {
  return (
    <Dialog label={title} onClose={onClose} className="w-[min(400px,calc(100vw-32px))]">
      <form method="dialog" className="p-4">
        <h2 className="text-[14px] font-semibold">{title}</h2>
        <p className="mt-1 text-mute">{says}</p>
        <div className="mt-4 flex justify-end gap-2">
          {/* biome-ignore lint/a11y/noAutofocus: a dialog puts the focus somewhere; here it does no harm */}
          <button type="submit" autoFocus className="h-8 rounded-md border border-line px-3 hover:bg-raised">
            Cancel
          </button>
          <button
            type="submit"
            onClick={onYes}
            className="h-8 rounded-md border border-error px-3 text-error hover:bg-raised"
          >
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
