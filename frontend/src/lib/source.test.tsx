import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asked, pushed, type Shown, useSource } from "@/lib/source";
import type { Listener, openStream } from "@/stream/open";

interface Opened extends Listener {
  readonly path: string;
  closed: boolean;
}

let opened: Opened[] = [];
const open: typeof openStream = (path, _resume, listener) => {
  const made: Opened = { path, closed: false, ...listener };
  opened.push(made);
  return () => {
    made.closed = true;
  };
};

const follow = (path: string) =>
  renderHook(({ at }) => useSource<number>(at, () => pushed(at, "number", open)), {
    initialProps: { at: path },
  });
const send = (name: string, data: unknown) =>
  act(() => opened.at(-1)?.onEvent({ name, data: JSON.stringify(data), id: "" }));

beforeEach(() => {
  opened = [];
});
afterEach(cleanup);

describe("what is pushed", () => {
  it("is shown, the newest each time; other events are not its", () => {
    const { result } = follow("a");
    for (const value of [1, 2]) send("number", value);
    send("other", 3);
    expect(result.current).toMatchObject({ data: 2, trouble: null, old: false });
    expect(result.current.updatedAtMs).toBeGreaterThan(0);
  });

  it("stays while something else is asked for", () => {
    const { result, rerender } = follow("a");
    send("number", 1);
    rerender({ at: "b" });
    expect(result.current).toMatchObject({ data: 1, old: true });
    expect(opened.map(({ path, closed }) => [path, closed])).toEqual([
      ["a", true],
      ["b", false],
    ]);
    send("number", 2);
    expect(result.current).toMatchObject({ data: 2, old: false });
  });

  it("stays while the connection is lost, and says so until it is back", () => {
    const { result } = follow("a");
    send("number", 1);
    const waiting = { kind: "waiting", retryAtMs: 5, reason: "gone" } as const;
    act(() => opened[0]?.onState(waiting));
    act(() => opened[0]?.onState({ kind: "connecting" }));
    expect(result.current).toMatchObject({ data: 1, trouble: { retryAtMs: 5 } });
    act(() => opened[0]?.onState({ kind: "open", resumed: false }));
    expect(result.current).toMatchObject({ data: 1, trouble: null });
  });

  it("stays while the server fails, until it does not", () => {
    const { result } = follow("a");
    send("number", 1);
    send("error", { error: { code: "store_unavailable", message: "no store", request_id: "r" } });
    expect(result.current.trouble?.error.message).toBe("no store");
    expect(result.current.data).toBe(1);
    send("number", 2);
    expect(result.current).toMatchObject({ data: 2, trouble: null });
  });

  it("is asked for again when somebody wants it", () => {
    const { result } = follow("a");
    act(() => result.current.again());
    expect(opened.map(({ closed }) => closed)).toEqual([true, false]);
  });
});

describe("what is asked for once", () => {
  const settled = async (ask: () => Promise<number>): Promise<Shown<number>> => {
    const { result } = renderHook(() => useSource<number>("a", () => asked(ask)));
    await act(async () => {});
    return result.current;
  };

  it("is shown", async () => {
    expect(await settled(() => Promise.resolve(1))).toMatchObject({ data: 1, trouble: null });
  });

  it("says why it could not be had", async () => {
    const shown = await settled(() => Promise.reject(new Error("offline")));
    expect(shown.trouble?.error.message).toBe("offline");
  });
});
