import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logSpans, plainText } from "./logText";

const ESC = "\u001b";
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e\u200b]/;

describe("logSpans", () => {
  it("leaves plain text, tabs and newlines as one span", () => {
    expect(logSpans("a\tb\nc é 漢 👨‍👩‍👧")).toEqual([{ text: "a\tb\nc é 漢 👨‍👩‍👧", style: {} }]);
  });

  it("maps colours, partial resets and a full reset", () => {
    expect(logSpans(`${ESC}[1;31mERR${ESC}[22m or${ESC}[39m x${ESC}[4my${ESC}[0mz`)).toEqual([
      { text: "ERR", style: { bold: true, colour: "red" } },
      { text: " or", style: { colour: "red" } },
      { text: " x", style: {} },
      { text: "y", style: { underline: true } },
      { text: "z", style: {} },
    ]);
  });

  it("reads 256 colours, true colour and colons between", () => {
    const colours = (text: string) => logSpans(text).map((span) => span.style.colour);
    expect(colours(`${ESC}[38;5;196ma`)).toEqual(["#ff0000"]);
    expect(colours(`${ESC}[38;5;2ma`)).toEqual(["green"]);
    expect(colours(`${ESC}[38;2;10;20;300;1ma`)).toEqual(["#0a14ff"]);
    for (const colons of ["38:2::255:0:16", "38:2:1:255:0:16", "38:2:255:0:16"])
      expect(colours(`${ESC}[${colons}ma`)).toEqual(["#ff0010"]);
    expect(logSpans(`${ESC}[48;5;240mb`)[0]?.style.background).toBe("#585858");
  });

  it("takes every other escape sequence away", () => {
    const text = `a${ESC}[2Jb${ESC}]8;;http://evil\u0007c${ESC}]0;title${ESC}\\d${ESC}[?25le${ESC}(Bf${ESC}`;
    expect(
      logSpans(text)
        .map((span) => span.text)
        .join(""),
    ).toBe("abcdef");
  });

  it("shows control, bidi and zero-width characters instead of obeying them", () => {
    expect(logSpans("a\u0000\u202eb\u200bc\u007f\r").map((span) => span.text)).toEqual([
      "a",
      "^@",
      "U+202E",
      "b",
      "U+200B",
      "c",
      "^?",
      "^M",
    ]);
    expect(logSpans("x\u200dy").some((span) => span.placeholder)).toBe(true);
  });

  it("never lets an escape, a control or a bidi character through", () => {
    const hostile = fc.string({
      unit: fc.constantFrom("a", "[", "3", "1", "m", ";", ESC, "\u202e", "\u009b", "\u200b", "\n", "😀"),
    });
    fc.assert(
      fc.property(hostile, (text) => {
        for (const span of logSpans(text)) expect(span.text).not.toMatch(HIDDEN);
        expect(plainText(text)).not.toContain(ESC);
      }),
    );
  });
});
