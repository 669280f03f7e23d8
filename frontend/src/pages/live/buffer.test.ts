import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buffer, isMark } from "./buffer";
import { added, NONE } from "./counts";
import { rate } from "./rate";
import { type Ring, ring } from "./ring";

const all = <T>(of: Ring<T>): (T | undefined)[] => Array.from({ length: of.length }, (_, i) => of.at(i));
const rows = (from: number, count: number) => Array.from({ length: count }, (_, i) => ({ n: from + i }));

describe("ring", () => {
  it("is the end of everything that was pushed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat()), (capacity, items) => {
        const made = ring<number>(capacity);
        for (const item of items) made.push(item);
        expect(all(made)).toEqual(items.slice(-capacity));
        expect(made.first).toBe(Math.max(0, items.length - capacity));
        expect(made.at(-1)).toBeUndefined();
        expect(made.at(made.length)).toBeUndefined();
      }),
    );
  });

  it("goes on counting when it is cleared", () => {
    const made = ring<number>(2);
    for (const item of [1, 2, 3]) made.push(item);
    made.clear();
    expect([made.length, made.first]).toEqual([0, 3]);
    made.push(4);
    expect([made.at(0), made.first]).toEqual([4, 3]);
  });
});

describe("buffer", () => {
  it("holds the rows that are being read, whatever comes, an empty batch included", () => {
    const made = buffer<{ n: number }>(4, 3);
    made.take(rows(0, 4));
    made.freeze();
    const { version } = made;
    for (const batch of [[], rows(4, 2), [], rows(6, 100)]) made.take(batch);
    expect(all(made.shown)).toEqual(rows(0, 4));
    expect(made.version).toBe(version);
    expect(made).toMatchObject({ frozen: true, held: 3, waiting: 102, dropped: 99 });
  });

  it("shows what was held when it goes on, and says what is missing before it", () => {
    const made = buffer<{ n: number }>(10, 3);
    made.take(rows(0, 2));
    made.freeze();
    made.take(rows(2, 5));
    made.resume();
    expect(all(made.shown)).toEqual([
      ...rows(0, 2),
      { mark: "2 records came while paused and were not kept" },
      ...rows(4, 3),
    ]);
    expect(made).toMatchObject({ frozen: false, held: 0, waiting: 0, dropped: 2 });
    made.freeze();
    made.resume();
    expect(made.shown.length).toBe(6);
  });

  it("loses no row that it does not count: shown, held, gone and dropped are all that came", () => {
    const step = fc.oneof(fc.nat({ max: 12 }), fc.constantFrom("freeze" as const, "resume" as const));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const made = buffer<{ n: number }>(1_000, 5);
        let came = 0;
        for (const one of steps) {
          if (one === "freeze") made.freeze();
          else if (one === "resume") made.resume();
          else {
            made.take(rows(came, one));
            came += one;
          }
        }
        const shown = all(made.shown).filter((item) => item && !isMark(item));
        expect(shown.length + made.held + made.dropped).toBe(came);
        const numbers = shown.map((item) => (item && !isMark(item) ? item.n : -1));
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }),
    );
  });

  it("begins anew when it is cleared", () => {
    const made = buffer<{ n: number }>(4, 1);
    made.take(rows(0, 2));
    made.freeze();
    made.take(rows(2, 5));
    made.clear();
    expect(made).toMatchObject({ frozen: false, held: 0, waiting: 0, dropped: 0 });
    expect(made.shown.length).toBe(0);
  });
});

describe("rate", () => {
  it("counts by second and leaves the running one out", () => {
    const made = rate(4);
    made.add(3, 10_100);
    made.add(4, 10_900);
    made.add(9, 12_000);
    expect(made.series(13_500)).toEqual([0, 7, 0, 9]);
    expect(made.perSecond(13_500)).toBeCloseTo(16 / 3);
  });

  it("forgets what is too long ago, also after a long silence", () => {
    const made = rate(3);
    made.add(5, 1_000);
    expect(made.series(500_000)).toEqual([0, 0, 0]);
    expect(made.perSecond(500_000)).toBe(0);
  });

  it("does not average over seconds before it began", () => {
    const made = rate(60);
    made.add(10, 5_000);
    expect(made.perSecond(5_500)).toBe(10);
    expect(made.perSecond(6_000)).toBe(10);
  });
});

describe("counts", () => {
  it("go on over connections whose own counts begin at 0", () => {
    const first = added(NONE, NONE, { ...NONE, matched: 10, dropped: 2 });
    const same = added(first, { ...NONE, matched: 10, dropped: 2 }, { ...NONE, matched: 15, dropped: 2 });
    const again = added(same, NONE, { ...NONE, matched: 4, dropped: 1 });
    expect(again).toEqual({ ...NONE, matched: 19, dropped: 3 });
  });

  it("do not count what was before this page joined", () => {
    expect(added(NONE, null, { ...NONE, matched: 500 })).toEqual(NONE);
  });
});
