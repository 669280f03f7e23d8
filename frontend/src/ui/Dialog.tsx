/**
 * A native modal dialog: the browser keeps focus inside, Escape and a click beside it close it, and
 * focus goes back to where it was. Keys pressed inside stay inside.
 */
import { type ReactNode, useEffect, useRef } from "react";

interface DialogProps {
  label: string;
  onClose: () => void;
  className?: string;
  children: ReactNode;
}

/** Shown while it is mounted. */
export function Dialog({ label, onClose, className = "", children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-label={label}
      onClose={onClose}
      onKeyDown={(event) => event.stopPropagation()}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current.close();
      }}
      className={`m-auto rounded-xl border border-line bg-panel p-0 text-ink shadow-2xl shadow-black/40 backdrop:bg-black/50 ${className}`}
    >
      {children}
    </dialog>
  );
}
