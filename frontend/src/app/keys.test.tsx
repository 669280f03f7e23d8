import { cleanup, fireEvent, render } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { currentShortcuts, listenForKeys, setSingleKeys, useShortcuts } from "@/app/keys";

let pressed: string[] = [];
let stop: () => void;

beforeEach(() => {
  pressed = [];
  setSingleKeys(true);
  stop = listenForKeys();
});
afterEach(async () => {
  cleanup();
  stop();
  await Promise.resolve();
  expect(currentShortcuts()).toEqual([]);
});

function Keyed({ keys, says, children }: { keys: string; says: string; children?: ReactNode }) {
  useShortcuts([{ keys, what: says, group: "View", run: () => pressed.push(says) }]);
  return <div>{children}</div>;
}

const press = (key: string) => fireEvent.keyDown(document.body, { key });

describe.each([
  ["alone", ({ children }: { children: ReactNode }) => <>{children}</>],
  ["in strict mode", StrictMode],
])("shortcuts %s", (_, Around) => {
  it("work from the first render on", () => {
    render(
      <Around>
        <Keyed keys="x" says="x" />
      </Around>,
    );
    press("x");
    expect(pressed).toEqual(["x"]);
  });

  it("of the inner component go before the outer one's", async () => {
    render(
      <Around>
        <Keyed keys="x" says="outer">
          <Keyed keys="x" says="inner" />
        </Keyed>
      </Around>,
    );
    press("x");
    await Promise.resolve();
    press("x");
    expect(pressed).toEqual(["inner", "inner"]);
  });

  it("go with their component, at once", () => {
    const { rerender } = render(
      <Around>
        <Keyed keys="x" says="outer">
          <Keyed keys="x" says="inner" />
        </Keyed>
      </Around>,
    );
    rerender(
      <Around>
        <Keyed keys="x" says="outer" />
      </Around>,
    );
    press("x");
    expect(pressed).toEqual(["outer"]);
  });
});

it("do nothing while somebody types, or when single keys are off", () => {
  const { container } = render(
    <>
      <Keyed keys="x" says="x" />
      <Keyed keys="Mod+k" says="palette" />
      <input />
    </>,
  );
  const input = container.querySelector("input");
  if (!input) throw new Error("no input");
  fireEvent.keyDown(input, { key: "x" });
  fireEvent.keyDown(input, { key: "k", ctrlKey: true });
  setSingleKeys(false);
  press("x");
  expect(pressed).toEqual(["palette"]);
});
