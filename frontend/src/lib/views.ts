/**
 * Saved views and signals: this browser's own in its storage, everybody's on the server. The id says
 * which: those of this browser begin with `my-`.
 */
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { answered, api } from "@/api/client";
import { defaultView, setDefaultView } from "@/lib/defaultView";

export interface SavedView {
  readonly id: string;
  readonly kind: "view" | "signal";
  readonly name: string;
  readonly group: string;
  /** A view's part of Explore's address. */
  readonly search: string;
  /** A signal's filter. */
  readonly query: string;
  /** Of shared ones: counts changes, so that nobody overwrites another's. */
  readonly version: number;
}

export type NewView = Omit<SavedView, "id" | "version">;

const KEY = "logstream.views";
const MOST = 200;
const MINE = "my-";

export const isMine = (view: Pick<SavedView, "id">): boolean => view.id.startsWith(MINE);

const shared = {
  queryKey: ["views"],
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<readonly SavedView[]> =>
    (await answered(api.GET("/api/v1/views", { signal }))).views,
  staleTime: 30_000,
  retry: false,
};

/** Everybody's; an error says why they are not to be had. */
export const useSharedViews = (enabled = true) => useQuery({ ...shared, enabled });

/** This browser's own, and everybody's as far as they are known. */
export function useViews(enabled = true): readonly SavedView[] {
  const mine = useMyViews();
  const { data } = useSharedViews(enabled);
  return data ? [...mine, ...data] : mine;
}

/** For what is not a component: asked for again only when they are old. */
export async function fetchViews(queries: QueryClient): Promise<readonly SavedView[]> {
  try {
    return [...myViews(), ...(await queries.fetchQuery(shared))];
  } catch {
    return myViews(); // why the others are missing is said where they are kept
  }
}

const listeners = new Set<() => void>();
let read: { text: string | null; views: readonly SavedView[] } = { text: null, views: [] };

/** The same array for as long as the storage has not changed. */
export function myViews(): readonly SavedView[] {
  const text = localStorage.getItem(KEY);
  if (text !== read.text) read = { text, views: parsed(text) };
  return read.views;
}

export function useMyViews(): readonly SavedView[] {
  return useSyncExternalStore(subscribe, myViews);
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  addEventListener("storage", changed); // other tabs
  return () => {
    listeners.delete(changed);
    removeEventListener("storage", changed);
  };
}

function parsed(text: string | null): readonly SavedView[] {
  try {
    const kept: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(kept) ? kept.flatMap(viewOf).slice(0, MOST) : [];
  } catch {
    return []; // somebody else's text under our key
  }
}

function viewOf(kept: unknown): SavedView[] {
  if (typeof kept !== "object" || kept === null) return [];
  const text = (name: string): string => {
    const value: unknown = (kept as Record<string, unknown>)[name];
    return typeof value === "string" ? value : "";
  };
  const [id, name, kind] = [text("id"), text("name"), text("kind")];
  if (!id.startsWith(MINE) || !name || (kind !== "view" && kind !== "signal")) return [];
  return [{ id, kind, name, group: text("group"), search: text("search"), query: text("query"), version: 1 }];
}

function keep(views: readonly SavedView[]): void {
  localStorage.setItem(KEY, JSON.stringify(views));
  for (const listener of listeners) listener();
}

export const forgetMyViews = (): void => keep([]);

function refuse(views: readonly SavedView[], view: NewView, id = ""): void {
  // Spaces pass as filled in, and what is read back without a name is nobody's view.
  if (view.name === "") throw new Error("It needs a name");
  if (views.some((one) => one.kind === view.kind && one.name === view.name && one.id !== id)) {
    throw new Error(`There is a ${view.kind} “${view.name}” in this browser already`);
  }
}

/** Keeps, changes and deletes, here or on the server; rejects with what to tell people. */
export function useKeeper() {
  const queries = useQueryClient();
  const refreshed = <T>(call: Promise<T>): Promise<T> =>
    call.finally(() => void queries.invalidateQueries({ queryKey: shared.queryKey }));
  return {
    add: async (view: NewView, mine: boolean): Promise<SavedView> => {
      if (!mine) return refreshed(answered(api.POST("/api/v1/views", { body: view })));
      const views = myViews();
      refuse(views, view);
      if (views.length >= MOST) throw new Error(`This browser keeps ${MOST} already: delete one`);
      const made: SavedView = { ...view, id: `${MINE}${Date.now().toString(36)}`, version: 1 };
      keep([...views, made]);
      return made;
    },
    change: async (view: SavedView): Promise<SavedView> => {
      const changed = await (isMine(view) ? changeMine(view) : refreshed(changeShared(view)));
      if (defaultView()?.id === view.id) setDefaultView(changed);
      return changed;
    },
    remove: async (view: SavedView): Promise<void> => {
      if (isMine(view)) keep(myViews().filter((one) => one.id !== view.id));
      else {
        const params = { path: { view_id: view.id }, query: { version: view.version } };
        await refreshed(answered(api.DELETE("/api/v1/views/{view_id}", { params })));
      }
      if (defaultView()?.id === view.id) setDefaultView(null);
    },
  };
}

async function changeMine(view: SavedView): Promise<SavedView> {
  const views = myViews();
  refuse(views, view, view.id);
  if (!views.some((one) => one.id === view.id)) throw new Error("It was deleted: save it as a new one");
  keep(views.map((one) => (one.id === view.id ? view : one)));
  return view;
}

function changeShared({ id, kind: _, ...body }: SavedView): Promise<SavedView> {
  const { name, group, search, query, version } = body;
  return answered(
    api.PUT("/api/v1/views/{view_id}", {
      params: { path: { view_id: id } },
      body: { name, group, search, query, version },
    }),
  );
}
