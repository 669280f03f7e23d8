import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { Part } from "./Part";

afterEach(cleanup);

const error = { code: "query_timeout", message: "the query took too long", request_id: "5b3e" };

it("says why it shows nothing, with the request's id, and tries again", () => {
  const again = vi.fn();
  render(
    <Part value={null} error={error} onRetry={again}>
      {() => "never"}
    </Part>,
  );
  expect(screen.getByRole("alert").textContent).toContain("the query took too long");
  expect(screen.getByText("request 5b3e")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(again).toHaveBeenCalledOnce();
});

it("keeps what it showed before beside the reason", () => {
  render(
    <Part value="three errors" error={error} onRetry={() => {}}>
      {(value) => value}
    </Part>,
  );
  expect(screen.getByText("three errors")).toBeTruthy();
  expect(screen.getByRole("alert").textContent).toContain("Not updating: the query took too long");
});
