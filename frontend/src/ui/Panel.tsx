/**
 * A panel fails alone: its own loading, empty and error states, with the request's id and Retry.
 * While something is loaded again the old content stays, dimmed.
 */
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError, againIn } from "@/api/client";
import { Icon } from "@/ui/icons";

interface PanelProps<T> {
  title: string;
  query?: UseQueryResult<T>;
  actions?: ReactNode;
  className?: string;
  children: ReactNode | ((data: T) => ReactNode);
}

export function Panel<T>({ title, query, actions, className = "", children }: PanelProps<T>) {
  return (
    <section
      aria-label={title}
      className={`flex min-w-0 flex-col rounded-lg border border-line bg-panel ${className}`}
    >
      <header className="flex items-center justify-between gap-2 px-3 pt-2">
        <h2 className="text-[12px] font-medium text-mute">{title}</h2>
        {actions}
      </header>
      <div className={`min-h-0 flex-1 px-3 pb-3 ${query?.isPlaceholderData ? "opacity-60" : ""}`}>
        {content(query, children)}
      </div>
    </section>
  );
}

function content<T>(query: UseQueryResult<T> | undefined, children: PanelProps<T>["children"]): ReactNode {
  if (typeof children !== "function") return query?.isError ? <Failure query={query} /> : children;
  if (query?.data !== undefined) return children(query.data);
  return query?.isError ? <Failure query={query} /> : <p className="py-6 text-center text-mute">Loading…</p>;
}

export function Failure({ query }: { query: Pick<UseQueryResult, "error" | "refetch"> }) {
  const { error } = query;
  const body = error instanceof ApiError ? error.body : null;
  return (
    <div role="alert" className="flex flex-col items-start gap-1 py-3">
      <p className="flex items-center gap-1.5 text-error">
        <Icon name="warn" />
        {error?.message ?? "Something went wrong"}
        {againIn(error)}
      </p>
      {body?.hint ? <p className="text-mute">{body.hint}</p> : null}
      <p className="flex items-center gap-3 text-mute">
        <button
          type="button"
          className="rounded border border-line px-2 hover:bg-raised"
          onClick={() => void query.refetch()}
        >
          Retry
        </button>
        {body?.request_id ? <span className="font-mono text-[11px]">request {body.request_id}</span> : null}
      </p>
    </div>
  );
}
