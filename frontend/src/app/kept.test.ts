import { expect, it } from "vitest";
import { followed } from "@/app/kept";

it("follows live what was searched for, in the same time zone", () => {
  const search = {
    q: 'timeout OR "a | b" | stats count() by service',
    f: [{ field: "service", values: ["api"], exclude: true }],
    from: "now-1h",
    tz: "UTC",
    cols: ["host"],
  };
  expect(followed(search)).toEqual({
    q: '(timeout OR "a | b") NOT service:"api"',
    from: "now-1h",
    tz: "UTC",
  });
  expect(followed({ q: "| fields host" })).toEqual({});
});
