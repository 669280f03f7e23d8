/** A line of a menu: a choice, or a thing to do. */
import type { ReactNode } from "react";

interface MenuItemProps {
  readonly onClick: () => void;
  readonly on?: boolean;
  readonly hint?: string;
  readonly children: ReactNode;
}

export function MenuItem({ onClick, on, hint, children }: MenuItemProps) {
  return (
    <button
      type="button"
      {...(on === undefined ? {} : { "aria-pressed": on })}
      onClick={onClick}
      className="flex w-full items-baseline justify-between gap-6 rounded px-2 py-1 text-left text-[12px] whitespace-nowrap hover:bg-raised aria-pressed:bg-selected"
    >
      <span>{children}</span>
      {hint ? <span className="text-[11px] text-mute">{hint}</span> : null}
    </button>
  );
}

export function MenuTitle({ children }: { children: ReactNode }) {
  return <p className="px-2 pt-1.5 pb-0.5 text-[11px] text-mute">{children}</p>;
}
