import { expect, it } from "vitest";
import { justAfter, sinceStart } from "./offsets";

it("keeps nanoseconds that numbers would lose", () => {
  expect(sinceStart("2026-01-31T12:00:00.000000001Z", "2026-01-31T12:00:00.000500001Z")).toBe("0.500 ms");
  expect(sinceStart("2026-01-31T12:00:00Z", "2026-01-31T12:00:03.25Z")).toBe("3.25 s");
  expect(sinceStart("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z")).toBe("0.0 ms");
});

it("names the next nanosecond, over the second's end too", () => {
  expect(justAfter("2026-01-31T12:00:00.123456789Z")).toBe("2026-01-31T12:00:00.123456790Z");
  expect(justAfter("2026-01-31T23:59:59.999999999Z")).toBe("2026-02-01T00:00:00.000000000Z");
});
