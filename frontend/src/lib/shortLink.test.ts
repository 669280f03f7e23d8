import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressOf, placeOf } from "@/lib/shortLink";

const BASE = "https://logs.example/tools/";

describe("placeOf and addressOf", () => {
  it("are each other's opposite, below any base address", () => {
    for (const base of ["https://logs.example/", BASE]) {
      const root = new URL(base).pathname;
      const href = `${base}explore?q=a%26b&f=%5B%5D`;
      const place = placeOf(href, base);
      expect(place).toEqual({ path: "/explore", search: "q=a%26b&f=%5B%5D" });
      expect(place && addressOf(place, base)).toBe(`${root}explore?q=a%26b&f=%5B%5D`);
    }
    expect(placeOf(BASE, BASE)).toEqual({ path: "/", search: "" });
  });

  it("know no other site and nothing beside the base", () => {
    expect(placeOf("https://evil.example/explore", BASE)).toBeNull();
    expect(placeOf("https://logs.example/explore", BASE)).toBeNull();
    for (const path of ["//evil.example", "/\\evil.example", "/../x", "https://evil.example", "/a b", ""]) {
      expect(addressOf({ path, search: "" }, BASE)).toBeNull();
    }
  });

  it("never lead to another site, whatever the server says", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (path, search) => {
        const address = addressOf({ path, search }, BASE);
        if (address !== null) {
          expect(address.startsWith("/tools/")).toBe(true);
          expect(new URL(address, BASE).origin).toBe("https://logs.example");
        }
      }),
    );
  });
});
