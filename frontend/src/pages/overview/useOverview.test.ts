import { expect, it } from "vitest";
import { type OverviewAnswer, withKept } from "./useOverview";

const failed = { code: "query_timeout", message: "too long", request_id: "r1" };
const answer = (change: Partial<OverviewAnswer>): OverviewAnswer =>
  ({ stored_records: 1, noisiest_services: [], newest_errors: [], failed: {}, ...change }) as OverviewAnswer;

it("keeps what a panel showed before it failed, and nothing of the others", () => {
  const before = answer({ stored_records: 1, noisiest_services: [{ value: "api", count: 3, filter: "" }] });
  const now = answer({
    stored_records: 2,
    noisiest_services: null,
    failed: { noisiest_services: failed },
  });
  const shown = withKept(before, now);
  expect(shown.noisiest_services).toEqual(before.noisiest_services);
  expect(shown.stored_records).toBe(2);
  expect(shown.failed).toEqual(now.failed);
  expect(withKept(shown, now).noisiest_services).toEqual(before.noisiest_services);
});

it("has nothing to keep at first", () => {
  const now = answer({ newest_errors: null, failed: { newest_errors: failed } });
  expect(withKept(undefined, now).newest_errors).toBeNull();
});
