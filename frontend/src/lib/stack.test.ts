import fc from "fast-check";
import { expect, it } from "vitest";
import { foldedStack, realBreaks, stackInBrief, stackPieces } from "./stack";

const PYTHON = `Traceback (most recent call last):
  File "/usr/lib/python3.11/asyncio/runners.py", line 44, in run
    return loop.run_until_complete(main)
  File "/usr/lib/python3.11/asyncio/base_events.py", line 649, in run_until_complete
    return future.result()
           ^^^^^^^^^^^^^^^
  File "/srv/shop/checkout.py", line 12, in pay
    raise ValueError("no card")
ValueError: no card`;
const JAVA = `java.lang.IllegalStateException: pool empty
\tat com.acme.shop.Pool.take(Pool.java:31)
\tat org.springframework.aop.Proxy.invoke(Proxy.java:99)
\tat java.base/java.lang.Thread.run(Thread.java:840)
\tat com.acme.shop.Cart.add(Cart.java:7)
Caused by: java.io.IOException: reset
\t... 23 more`;
const NODE = `Error: boom
    at pay (/srv/app/pay.js:3:9)
    at Layer.handle (/srv/app/node_modules/express/layer.js:95:5)
    at next (/srv/app/node_modules/express/route.js:144:13)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`;
const GO = `panic: boom

goroutine 1 [running]:
main.pay(0x1)
\t/srv/app/main.go:12 +0x1d
runtime.main()
\t/usr/local/go/src/runtime/proc.go:250 +0x20
runtime.goexit()
\t/usr/local/go/src/runtime/asm.s.go:1 +0x1`;

const kinds = (text: string) =>
  stackPieces(text)
    ?.map((piece) => piece.frame?.[0] ?? "-")
    .join("");

it("knows the frames of each language, and whose they are", () => {
  expect(kinds(PYTHON)).toBe("-lla-");
  expect(kinds(JAVA)).toBe("-alla-l");
  expect(kinds(NODE)).toBe("-alll");
  expect(kinds(GO)).toBe("---all");
});

it("folds runs of a library's frames and leaves the application's open", () => {
  const parts = (text: string) => foldedStack(stackPieces(text) ?? []).map((part) => part.frames);
  expect(parts(PYTHON)).toEqual([0, 2, 0]);
  expect(parts(NODE)).toEqual([0, 3]);
  const [, , end] = foldedStack(stackPieces(PYTHON) ?? []);
  expect(end?.text).toContain("checkout.py");
});

it("loses no line", () => {
  for (const text of [PYTHON, JAVA, NODE, GO]) {
    expect(
      foldedStack(stackPieces(text) ?? [])
        .map((part) => part.text)
        .join("\n"),
    ).toBe(text);
  }
  const line = fc.constantFrom("  at a.b(C.java:1)", "\tat java.util.X.y(X.java:2)", "text", "", "    code");
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const text = lines.join("\n");
      const pieces = stackPieces(text);
      if (pieces)
        expect(
          foldedStack(pieces)
            .map((part) => part.text)
            .join("\n"),
        ).toBe(text);
    }),
    { numRuns: 100 },
  );
});

it("says on one line what is no frame", () => {
  expect(stackInBrief(stackPieces(PYTHON) ?? [])).toBe(
    "Traceback (most recent call last): ↵ ValueError: no card ⋯ 3 frames",
  );
});

it("takes other texts of several lines for no trace", () => {
  for (const text of ["a\nb", "look at this\nat noon", "1: one\n2: two", 'File "x"', ""]) {
    expect(stackPieces(text), text).toBeNull();
  }
});

it("reads breaks that were written out, and no escaped backslash", () => {
  expect(realBreaks("a\\nb\\r\\n\\tc \\\\n")).toBe("a\nb\n\tc \\\\n");
});
