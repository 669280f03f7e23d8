import { expect, it } from "vitest";
import { found, offered } from "@/app/commands";
import { columnOffers } from "@/pages/explore/columnOffers";

const turned: string[] = [];
const offers = columnOffers(
  [{ name: "service" }, { name: "status" }, { name: '"a b"' }, { name: "host" }],
  ["host"],
  (field) => turned.push(field),
);

it("offers to remove what is shown and to add what is not, but for what always is", () => {
  expect(offers.map((offer) => offer.what)).toEqual([
    "Remove column: host",
    "Add column: status",
    "Add column: a b",
  ]);
  offers[2]?.run();
  expect(turned).toEqual(['"a b"']);
});

it("lists columns in the palette once something is typed", () => {
  const { shown, typed } = offered(offers);
  expect(found(shown, typed, "").map((one) => [one.what, one.fill])).toEqual([
    ["Add column…", "Add column: "],
    ["Remove column…", "Remove column: "],
  ]);
  expect(found(shown, typed, "Add column: stat").map((one) => one.what)).toEqual(["Add column: status"]);
  expect(found(shown, typed, "host").map((one) => one.what)).toEqual(["Remove column: host"]);
});
