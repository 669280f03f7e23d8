/** A button and what opens below it; Escape and a click elsewhere close it and give focus back. */
import { type ReactNode, useEffect, useId, useRef, useState } from "react";

interface PopoverProps {
  label: string;
  button: ReactNode;
  buttonClass?: string;
  align?: "left" | "right";
  /** For a shortcut that opens it. */
  openRef?: { current: (() => void) | null };
  children: (close: () => void) => ReactNode;
}

export function Popover({
  label,
  button,
  buttonClass = "",
  align = "right",
  openRef,
  children,
}: PopoverProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const id = useId();
  useEffect(() => {
    if (!openRef) return;
    openRef.current = () => setOpen(true);
    return () => {
      openRef.current = null;
    };
  }, [openRef]);
  useEffect(() => {
    if (!open) return;
    const onDown = (event: PointerEvent) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", onDown);
    box.current?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    return () => document.removeEventListener("pointerdown", onDown);
  }, [open]);
  const close = () => {
    setOpen(false);
    trigger.current?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes from anywhere inside
    <div
      ref={box}
      className="relative min-w-0 max-sm:static"
      onKeyDown={(event) => {
        if (event.key === "Escape" && open) {
          event.preventDefault();
          event.stopPropagation();
          close();
        }
      }}
    >
      <button
        ref={trigger}
        type="button"
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-controls={id}
        aria-label={label}
        title={label}
        onClick={() => setOpen(!open)}
        className={
          buttonClass ||
          "flex h-8 items-center gap-1.5 rounded-md border border-line bg-panel px-2.5 hover:bg-raised"
        }
      >
        {button}
      </button>
      {open ? (
        <div
          id={id}
          role="dialog"
          aria-label={label}
          className={`absolute z-40 mt-1 min-w-48 rounded-lg border border-line bg-panel p-2 shadow-xl shadow-black/30 ${align === "right" ? "right-0" : "left-0"}`}
        >
          {children(close)}
        </div>
      ) : null}
    </div>
  );
}
