/** A small button that is an icon with a name. */
import { Icon, type IconName } from "@/ui/icons";

interface ToolButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick?: () => void;
  readonly pressed?: boolean;
  readonly size?: number;
  readonly disabled?: boolean;
}

export function ToolButton({ icon, label, onClick, pressed, size = 12, disabled }: ToolButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      disabled={disabled}
      {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
      onClick={onClick}
      className="grid h-5 w-5 shrink-0 place-content-center rounded text-mute hover:bg-raised hover:text-ink disabled:opacity-40 aria-pressed:bg-selected aria-pressed:text-ink"
    >
      <Icon name={icon} size={size} />
    </button>
  );
}
