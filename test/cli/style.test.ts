import { describe, expect, test } from "bun:test";
import { streamStyle, wantsColour } from "../../src/cli/style.ts";
import type { Platform } from "../../src/platform/contract.ts";

type Environment = Readonly<Record<string, string>>;

const env = (variables: Environment) => ({ env: (name: string) => variables[name] });

describe("colours", () => {
  const cases: readonly (readonly [why: string, variables: Environment, onTerminal: boolean, elsewhere: boolean])[] = [
    ["are for terminals", {}, true, false],
    ["NO_COLOR forbids, whatever it says", { NO_COLOR: "0" }, false, false],
    ["FORCE_COLOR asks for", { FORCE_COLOR: "1" }, true, true],
    ["FORCE_COLOR=0 forbids", { FORCE_COLOR: "0" }, false, false],
    ["NO_COLOR wins over FORCE_COLOR", { NO_COLOR: "1", FORCE_COLOR: "1" }, false, false],
    ["a dumb terminal has none of", { TERM: "dumb" }, false, false],
    ["even a dumb terminal is forced to take", { TERM: "dumb", FORCE_COLOR: "1" }, true, true],
  ];
  for (const [why, variables, onTerminal, elsewhere] of cases) {
    test(why, () => {
      expect([wantsColour(env(variables), true), wantsColour(env(variables), false)]).toEqual([onTerminal, elsewhere]);
    });
  }

  test("of stdout are not decided by stderr", () => {
    const terminal = { outputColumns: undefined, errorColumns: 80 };
    const platform = { ...env({}), terminal } as unknown as Platform;
    expect(streamStyle(platform, "output").bad("x")).toBe("x");
    expect(streamStyle(platform, "error").bad("x")).toBe("\u001b[31mx\u001b[39m");
  });
});
