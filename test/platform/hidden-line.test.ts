import { describe, expect, test } from "bun:test";
import { HiddenLine } from "../../src/platform/node/hidden-line.ts";

function typed(...pieces: readonly string[]): { text: string; state: string } {
  const line = new HiddenLine();
  let state = "open";
  for (const piece of pieces) state = line.feed(piece);
  return { text: line.text, state };
}

describe("a hidden line", () => {
  test("ends at Enter, and the rest of what was pasted is dropped", () => {
    expect(typed("one", " two\rrm -rf x\r")).toEqual({ text: "one two", state: "entered" });
  });

  test("backspace takes a whole character, also one outside the BMP, and none from an empty line", () => {
    expect(typed("\u007fa😀\u007fb\b\bé\r")).toEqual({ text: "é", state: "entered" });
  });

  test("Ctrl-U empties it", () => {
    expect(typed("wrong\u0015right\r")).toEqual({ text: "right", state: "entered" });
  });

  test("Ctrl-C cancels", () => {
    expect(typed("ab\u0003c").state).toBe("cancelled");
  });

  test("Ctrl-D ends an empty line and is nothing in another", () => {
    expect(typed("\u0004").state).toBe("ended");
    expect(typed("a\u0004b\r")).toEqual({ text: "ab", state: "entered" });
  });

  test("cursor keys, function keys and the marks of a pasted text leave nothing in it", () => {
    expect(typed("\u001b[Da\u001b[1;5C\u001bOPb\u001b[200~c d\u001b[201~\t\r")).toEqual({
      text: "abc d",
      state: "entered",
    });
  });
});
