import { beforeEach, describe, expect, it } from "vitest";
import { forgetMyViews, isMine, myViews } from "@/lib/views";

const KEY = "logstream.views";
const VIEW = { id: "my-1", kind: "view", name: "Errors", group: "", search: "q=a", query: "", version: 1 };

beforeEach(() => localStorage.clear());

describe("this browser's own views", () => {
  it("are read as they were kept, and the same array comes until they change", () => {
    localStorage.setItem(KEY, JSON.stringify([VIEW]));
    expect(myViews()).toEqual([VIEW]);
    expect(myViews()).toBe(myViews());
    forgetMyViews();
    expect(myViews()).toEqual([]);
  });

  it("are nothing else that stands under the key", () => {
    for (const text of ["{", "7", '"x"', "null", "[null, 7, {}]"]) {
      localStorage.setItem(KEY, text);
      expect(myViews()).toEqual([]);
    }
    const others = [{ ...VIEW, id: "abc" }, { ...VIEW, name: "" }, { ...VIEW, kind: "x" }, VIEW];
    localStorage.setItem(KEY, JSON.stringify(others));
    expect(myViews()).toEqual([VIEW]);
  });

  it("are told from everybody's by their id", () => {
    expect(isMine({ id: "my-1" })).toBe(true);
    expect(isMine({ id: "0123456789abcdef" })).toBe(false);
  });
});
