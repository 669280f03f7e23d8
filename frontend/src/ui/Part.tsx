/**
 * One panel's share of an answer. Its failure is shown here and nowhere else; what it showed before
 * stays, dimmed.
 */
import type { ReactNode } from "react";
import { ApiError, type ErrorBody } from "@/api/client";
import { Icon } from "@/ui/icons";
import { Failure } from "@/ui/Panel";

interface PartProps<T> {
  readonly value: T | null;
  readonly error: ErrorBody | undefined;
  readonly onRetry: () => void;
  readonly children: (value: T) => ReactNode;
}

export function Part<T>({ value, error, onRetry, children }: PartProps<T>) {
  if (!error) return value === null ? null : children(value);
  if (value === null)
    return <Failure query={{ error: new ApiError(503, error), refetch: async () => onRetry() as never }} />;
  return (
    <>
      <p role="alert" className="flex flex-wrap items-center gap-x-2 py-1 text-[12px] text-mute">
        <span className="flex min-w-0 items-center gap-1.5 text-warn">
          <Icon name="warn" size={13} />
          Not updating: {error.message}
        </span>
        <span className="font-mono text-[11px]">request {error.request_id}</span>
        <button type="button" className="rounded border border-line px-2 hover:bg-raised" onClick={onRetry}>
          Retry
        </button>
      </p>
      <div className="opacity-60">{children(value)}</div>
    </>
  );
}
