import { describe, expect, it } from "vitest";
import type { Listener } from "@/stream/open";
import { isMark } from "./buffer";
import { gapAfter } from "./gap";
import { found } from "./highlight";
import { rangeOf } from "./range";
import { ring } from "./ring";
import { type Item, makeTail, type Tail, type TailRecord } from "./tail";
import { tailPath, tailQuery } from "./useTail";

const record = (key: string, timestamp = "2026-11-23T10:00:00Z"): TailRecord => ({
  key,
  id: null,
  received: null,
  timestamp,
  level: "info",
  severity_number: 9,
  service: "api",
  message: `message ${key}`,
  trace_id: "",
  span_id: "",
  attributes: {},
  resource: {},
});

const NOTHING = {
  matched: 0,
  sent: 0,
  dropped: 0,
  sampled_out: 0,
  waiting: 0,
  unexamined: 0,
  sample: 1,
  missed_entries: 0,
  gap: false,
  backfill_complete: true,
  resume: "",
  ended: false,
};

/** A tail whose frames, clock and stream are the test's. */
function harness() {
  const opened: { path: string; resume: string; listener: Listener; closed: boolean }[] = [];
  const frames: (() => void)[] = [];
  const timers: (() => void)[] = [];
  const settling: ((found: boolean) => void)[] = [];
  const clock = { ms: 1_000_000 };
  let commits = 0;
  const tail = makeTail({
    open: (path, resume, listener) => {
      const one = { path, resume, listener, closed: false };
      opened.push(one);
      return () => {
        one.closed = true;
      };
    },
    frame: (run) => void frames.push(run),
    now: () => clock.ms,
    settled: () => new Promise((resolve) => settling.push(resolve)),
    later: (run) => void timers.push(run),
  });
  tail.subscribe(() => {
    commits += 1;
  });
  const frame = () => {
    for (const run of frames.splice(0)) run();
  };
  const stream = () => {
    const last = opened.at(-1);
    if (!last) throw new Error("nothing was opened");
    return last.listener;
  };
  return {
    tail,
    opened,
    clock,
    commits: () => commits,
    frames: () => frames.length,
    frame,
    /** The server has come to rest after a start. */
    settle: async (found = true) => {
      for (const resolve of settling.splice(0)) resolve(found);
      await Promise.resolve();
    },
    time: () => {
      for (const run of timers.splice(0)) run();
    },
    texts: () => {
      frame();
      return texts(tail);
    },
    rows: (keys: readonly string[], id = "h.1.0", backfill = false) =>
      stream().onEvent({
        name: "rows",
        id,
        data: JSON.stringify({ rows: keys.map((key) => record(key)), backfill, resume: id }),
      }),
    status: (change: Partial<typeof NOTHING>) =>
      stream().onEvent({ name: "status", id: "", data: JSON.stringify({ ...NOTHING, ...change }) }),
    state: (kind: "open" | "asleep", joined = false) =>
      stream().onState(
        kind === "asleep" ? { kind } : { kind, resumed: false, ...(joined ? { joined: true } : {}) },
      ),
  };
}

const texts = (tail: Tail): readonly string[] =>
  Array.from({ length: tail.buffer.shown.length }, (_, i) => {
    const item = tail.buffer.shown.at(i);
    return item ? (isMark(item) ? `-- ${item.mark}` : item.key) : "";
  });

describe("tail", () => {
  it("commits once a frame, however many events came", () => {
    const it = harness();
    it.tail.start("a");
    it.state("open");
    for (let i = 0; i < 50; i += 1) it.rows([`${i}`]);
    expect(it.frames()).toBe(1);
    it.frame();
    expect(it.commits()).toBe(1);
    expect(it.tail.summary().shown).toBe(50);
  });

  it("leaves the shown rows and their version alone while frozen, and counts what comes", () => {
    const it = harness();
    it.tail.start("a");
    it.rows(["1", "2"]);
    it.frame();
    it.tail.freeze();
    it.frame();
    const version = it.tail.version();
    it.rows([]);
    it.rows(["3", "4", "5"]);
    it.clock.ms += 300;
    it.frame();
    expect(it.tail.version()).toBe(version);
    expect(it.texts()).toEqual(["1", "2"]);
    expect(it.tail.summary()).toMatchObject({ frozen: true, waiting: 3, held: 3 });
    it.tail.resume();
    it.frame();
    expect(it.texts()).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("freezes what is on the screen, not what came since", () => {
    const it = harness();
    it.tail.start("a");
    it.rows(["1", "2"]);
    it.frame();
    it.rows(["3"]);
    it.tail.freeze();
    expect(it.texts()).toEqual(["1", "2"]);
    it.tail.resume();
    it.rows(["4"]);
    expect(it.texts()).toEqual(["1", "2", "3", "4"]);
  });

  it("keeps no more than it shows while no frame comes", () => {
    const it = harness();
    it.tail.start("a");
    for (let i = 0; i < 30; i += 1) it.rows(Array.from({ length: 1_000 }, (_, n) => `${i}.${n}`));
    it.frame();
    expect(it.tail.summary().shown).toBe(10_000);
    expect(it.tail.buffer.shown.first).toBe(20_000);
  });

  it("marks where the backfill ends", () => {
    const it = harness();
    it.tail.start("a");
    it.rows(["1"], "h.0.0", true);
    it.rows(["2"]);
    it.rows(["3"]);
    expect(it.texts()).toEqual(["1", "-- Live from here", "2", "3"]);
  });

  it("forgets everything when the query changes, and nothing when it is stopped and started", () => {
    const it = harness();
    it.tail.start("a");
    it.rows(["1"], "h.7.0");
    it.tail.stop();
    expect(it.opened[0]?.closed).toBe(true);
    expect(it.texts()).toEqual(["1"]);
    it.tail.start("a");
    expect(it.opened[1]?.resume).toBe("h.7.0");
    expect(it.texts()).toEqual(["1"]);
    it.tail.start("b");
    expect(it.opened[2]).toMatchObject({ path: "b", resume: "" });
    expect(it.texts()).toEqual([]);
  });

  it("adds up what was left out over connections", () => {
    const it = harness();
    it.tail.start("a");
    it.state("open");
    it.status({ matched: 100, dropped: 3, sampled_out: 40, sample: 2 });
    it.state("open");
    it.status({ matched: 10, dropped: 1 });
    it.frame();
    expect(it.tail.summary()).toMatchObject({
      dropped: 4,
      sample: 1,
      counts: { matched: 110, sampled_out: 40 },
    });
  });

  it("closes the gap when the server does not know where it was", async () => {
    const it = harness();
    it.tail.start("api/v1/tail?query=x&backfill=0");
    it.state("open");
    it.status({});
    it.rows(["1", "2"], "old.2.0");
    it.state("open");
    it.status({ gap: true });
    expect(it.opened[0]?.closed).toBe(true);
    expect(it.opened).toHaveLength(1);
    await it.settle();
    expect(it.opened[1]).toMatchObject({ path: "api/v1/tail?query=x&backfill=1000", resume: "" });
    it.state("open");
    it.status({});
    it.rows(["0", "1", "2", "3"], "new.0.0", true);
    it.rows(["4"], "new.0.0", true);
    it.rows(["5"], "new.1.0");
    expect(it.texts()).toEqual(["1", "2", "-- The connection was lost here", "3", "4", "5"]);
    expect(it.tail.summary().counts.matched).toBe(0);
  });

  it("says so where what it showed is too long ago, and when the store never came to rest", async () => {
    const it = harness();
    it.tail.start("a");
    it.state("open");
    it.rows(["1"], "old.1.0");
    it.state("open");
    it.status({ gap: true });
    await it.settle(false);
    it.rows(["7", "8"], "new.0.0", true);
    expect(it.texts()).toHaveLength(3);
    it.time();
    expect(it.texts()).toEqual([
      "1",
      "-- The connection was lost here",
      "-- The store is far behind: records may be missing here",
      "-- Records may be missing here, but not in the store",
      "7",
      "8",
    ]);
  });

  it("asks for nothing more when it is stopped while the server comes to rest", async () => {
    const it = harness();
    it.tail.start("a");
    it.state("open");
    it.status({ gap: true });
    it.tail.stop();
    await it.settle();
    expect(it.opened).toHaveLength(1);
  });

  it("counts from when it joined a stream that another page opened", () => {
    const it = harness();
    it.tail.start("a");
    it.state("open", true);
    it.status({ matched: 5_000, gap: true });
    it.status({ matched: 5_010, gap: true });
    it.frame();
    expect(it.tail.summary().counts.matched).toBe(10);
    expect(it.texts()).toEqual([]);
  });

  it("lets the rate fall when nothing comes", () => {
    const it = harness();
    it.tail.start("a");
    it.state("open");
    it.status({ matched: 30 });
    it.clock.ms += 1_000;
    it.tail.tick();
    it.frame();
    expect(it.tail.summary().perSecond).toBe(30);
    it.clock.ms += 10_000;
    it.tail.tick();
    it.frame();
    expect(it.tail.summary().perSecond).toBe(0);
  });
});

describe("gapAfter", () => {
  const same = (...keys: readonly string[]) =>
    keys.map((key, i) => ({ ...record(key), key: `x${i}`, id: `${i}`, received: null }));
  const keys = (rows: readonly TailRecord[]) => rows.map((one) => one.message.replace("message ", ""));

  it("passes on what is behind the last that was shown, however it came and in whatever pieces", () => {
    const gap = gapAfter([record("a"), record("b"), record("c")], "2026");
    expect(keys(gap.earlier(same("y", "z", "b")))).toEqual([]);
    expect(keys(gap.earlier(same("c", "d")))).toEqual(["d"]);
    expect(keys(gap.earlier(same("e", "a")))).toEqual(["e"]);
    expect(gap.rest()).toEqual([]);
  });

  it("counts equal records one by one", () => {
    const gap = gapAfter([record("a"), record("a")], "2026");
    expect(keys(gap.earlier(same("a", "a", "a")))).toEqual(["a"]);
  });

  it("passes on of a tail that showed nothing only what is newer than it", () => {
    const gap = gapAfter([], "2026-11-23T10:00:00Z");
    const old = { ...record("old"), timestamp: "2026-11-23T09:59:59Z" };
    expect(keys(gap.earlier([old, record("new")]))).toEqual(["new"]);
  });

  it("keeps back what may be from before, until there is no more", () => {
    const gap = gapAfter([record("a")], "2026");
    expect(gap.earlier(same("x", "y"))).toEqual([]);
    expect(keys(gap.rest())).toEqual(["x", "y"]);
    expect(gap.rest()).toEqual([]);
  });

  it("knows a record again whatever the order of its attributes", () => {
    const one = { ...record("a"), attributes: { x: "1", y: "2" } };
    const other = { ...record("a"), attributes: { y: "2", x: "1" } };
    const gap = gapAfter([one], "2026");
    expect(keys(gap.earlier([other, record("b")]))).toEqual(["b"]);
  });
});

describe("rangeOf", () => {
  const shown = (...timestamps: string[]) => {
    const rows = ring<Item>(10);
    rows.push({ mark: "Live from here" });
    for (const timestamp of timestamps) rows.push(record("x", timestamp));
    return rows;
  };

  it("holds the first and the last record, in whatever order and with whatever digits", () => {
    const rows = shown("2026-11-23T10:00:05.250123456Z", "2026-11-23T10:00:05Z", "2026-11-23T10:00:05.250Z");
    expect(rangeOf(rows)).toEqual({ from: "2026-11-23T10:00:05Z", to: "2026-11-23T10:00:05.251Z" });
  });

  it("is none where there is no record", () => {
    expect(rangeOf(shown())).toBeNull();
  });
});

describe("found", () => {
  it("finds a term wherever it is, in any case", () => {
    expect(found("Time out, TIMEOUT, timeout", "timeout")).toEqual([
      [10, 17],
      [19, 26],
    ]);
  });

  it("keeps its places where lower case has another length", () => {
    expect(found("İİ Timeout", "timeout")).toEqual([[3, 10]]);
  });

  it("takes no term for anything but text", () => {
    expect(found("a.b a+b", ".")).toEqual([[1, 2]]);
    expect(found("abc", "")).toEqual([]);
  });
});

it("asks for exactly the query and the levels", () => {
  expect(tailQuery("a OR b", ["error", "warn"])).toBe('(a OR b) (level:"error" OR level:"warn")');
  expect(tailQuery("", [])).toBe("");
  const path = new URL(tailPath('q="a&b" +1', 100), "http://x/sub/");
  expect(path.searchParams.get("query")).toBe('q="a&b" +1');
  expect(path.pathname).toBe("/sub/api/v1/tail");
});
