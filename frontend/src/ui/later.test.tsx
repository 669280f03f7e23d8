import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { later } from "@/ui/later";

afterEach(cleanup);

const Greeting = ({ to }: { to: string }) => <p>Hello {to}</p>;

it("shows nothing, then the component, and the next time at once", async () => {
  const Later = later(() => Promise.resolve(Greeting));
  const first = render(<Later to="Ada" />);
  expect(first.container.textContent).toBe("");
  await screen.findByText("Hello Ada");
  cleanup();
  render(<Later to="Grace" />);
  expect(screen.getByText("Hello Grace")).toBeTruthy();
});

it("tries again when it is shown anew after its code could not be loaded", async () => {
  let fails = true;
  const Later = later(() => (fails ? Promise.reject(new Error("offline")) : Promise.resolve(Greeting)));
  render(<Later to="Ada" />);
  await screen.findByRole("alert");
  cleanup();
  fails = false;
  render(<Later to="Ada" />);
  await screen.findByText("Hello Ada");
});
