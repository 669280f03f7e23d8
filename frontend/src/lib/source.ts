/**
 * What a panel shows and where it comes from: pushed for as long as it is looked at, or asked for
 * once. What was there stays on the screen while something else is asked for, and while the
 * connection is lost; then `trouble` says why nothing new comes.
 */
import { useCallback, useEffect, useState } from "react";
import { ApiError, type ErrorBody, type Schema } from "@/api/client";
import { openStream } from "@/stream/open";
import type { StreamState } from "@/stream/protocol";

export interface Trouble {
  readonly error: Error;
  /** Epoch ms; absent: nothing is tried again by itself. */
  readonly retryAtMs?: number;
}

export interface Teller<T> {
  readonly show: (data: T) => void;
  /** `null`: it is over. */
  readonly trouble: (trouble: Trouble | null) => void;
}

/** Tells until the returned function is called. */
export type Source<T> = (teller: Teller<T>) => () => void;

export interface Shown<T> {
  readonly data: T | undefined;
  readonly trouble: Trouble | null;
  /** What is shown belongs to what was asked before. */
  readonly old: boolean;
  /** When the data came, epoch ms. */
  readonly updatedAtMs: number;
  readonly again: () => void;
}

interface Seen<T> {
  readonly key: string;
  readonly data: T | undefined;
  readonly trouble: Trouble | null;
  readonly updatedAtMs: number;
}

/** `key` names all that `source` depends on. */
export function useSource<T>(key: string, source: () => Source<T>): Shown<T> {
  const [seen, setSeen] = useState<Seen<T>>({ key, data: undefined, trouble: null, updatedAtMs: 0 });
  const [tries, setTries] = useState(0);
  // The key stands for the source.
  useEffect(
    () =>
      source()({
        show: (data) => setSeen({ key, data, trouble: null, updatedAtMs: Date.now() }),
        trouble: (trouble) => setSeen((before) => ({ ...before, key, trouble })),
      }),
    [key, tries],
  );
  return {
    data: seen.data,
    trouble: seen.key === key ? seen.trouble : null,
    old: seen.key !== key,
    updatedAtMs: seen.updatedAtMs,
    again: useCallback(() => setTries((before) => before + 1), []),
  };
}

/** Asked once: for what does not change. */
export function asked<T>(ask: (signal: AbortSignal) => Promise<T>): Source<T> {
  return ({ show, trouble }) => {
    const gone = new AbortController();
    ask(gone.signal).then(show, (error: unknown) => {
      if (!gone.signal.aborted) trouble({ error: error instanceof Error ? error : new Error(String(error)) });
    });
    return () => gone.abort();
  };
}

/** The data of a stream's events of this name. */
export function pushed<T>(path: string, name: string, open = openStream): Source<T> {
  return ({ show, trouble }) =>
    open(path, "", {
      onEvent: (event) => {
        if (event.name === name) show(JSON.parse(event.data) as T);
        else if (event.name === "error") {
          // The stream goes on; this look at the server failed.
          trouble({ error: new ApiError(503, (JSON.parse(event.data) as Schema["ErrorAnswer"]).error) });
        }
      },
      onState: (state) => {
        const now = troubleOf(state);
        if (now !== undefined) trouble(now);
      },
    });
}

/** What another source tells, each answer as `make` makes it. */
export function made<T>(source: Source<T>, make: (data: T) => T): Source<T> {
  return (teller) => source({ ...teller, show: (data) => teller.show(make(data)) });
}

/** `undefined`: the state says nothing about it. */
function troubleOf(state: StreamState): Trouble | null | undefined {
  if (state.kind === "waiting")
    return { error: new Error(`The connection is lost (${state.reason})`), retryAtMs: state.retryAtMs };
  if (state.kind === "refused") return { error: refused(state.error) };
  if (state.kind === "taken")
    return { error: new Error("Other pages of this browser follow too much already") };
  return state.kind === "open" ? null : undefined;
}

const refused = (error: ErrorBody): ApiError => new ApiError(400, error);
