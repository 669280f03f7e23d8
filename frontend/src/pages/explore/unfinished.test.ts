import { expect, it } from "vitest";
import { unfinished } from "./unfinished";

it("waits for the end of quotes, parentheses, ranges, values and operators", () => {
  for (const text of [
    '"connection ref',
    "(error OR warn",
    "status:[400 TO",
    "service:",
    "status:>=",
    "level:error |",
    "a AND",
    "NOT ",
    "a -",
    "* | stats count() by",
    "/time(d )?out",
    "a OR ",
  ]) {
    expect(unfinished(text), text).toBe(true);
  }
});

it("lets whole queries through", () => {
  for (const text of [
    "",
    "timeout",
    "/api/v1/users",
    "/api/v1",
    'service:"my service" status:[400 TO 499}',
    '(error OR warn) -"health (check"',
    "/time(d )?out/i x",
    "node-12",
    "* | stats count() by service | sort -n",
    "path:/^\\/api/",
    "order",
    "standby",
  ]) {
    expect(unfinished(text), text).toBe(false);
  }
});
