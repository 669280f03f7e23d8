import { beforeEach, expect, it } from "vitest";
import { exploreSearch } from "@/app/search";
import { defaultView, enteredWith, setDefaultView } from "@/lib/defaultView";
import { preferDensity, preferredDensity, preferredZone, preferZone } from "@/lib/preferred";

beforeEach(() => localStorage.clear());

it("prefers what was chosen, and the usual where that is nonsense", () => {
  expect([preferredZone(), preferredDensity()]).toEqual(["local", "normal"]);
  preferZone("Asia/Tokyo");
  preferDensity("compact");
  expect([preferredZone(), preferredDensity()]).toEqual(["Asia/Tokyo", "compact"]);
  localStorage.setItem("logstream.zone", "Nowhere/Land");
  localStorage.setItem("logstream.density", "7");
  expect([preferredZone(), preferredDensity()]).toEqual(["local", "normal"]);
});

it("leaves the preferred zone out of addresses, and keeps any other, the browser's own too", () => {
  preferZone("UTC");
  expect(exploreSearch({ tz: "UTC" }).tz).toBeUndefined();
  expect(exploreSearch({ tz: "local" }).tz).toBe("local");
  expect(exploreSearch({ tz: "Nowhere/Land" }).tz).toBeUndefined();
});

it("enters Explore with the default view, and with nothing when there is none", () => {
  expect(enteredWith(defaultView())).toBe("");
  setDefaultView({ id: "my-1", search: "q=a" });
  expect(enteredWith(defaultView())).toBe("q=a&view=my-1");
  setDefaultView(null);
  localStorage.setItem("logstream.defaultView", "[7");
  expect(defaultView()).toBeNull();
});
