import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { denoPermissions, PROJECT } from "./runtime.ts";

test("README.md starts Deno with the permissions that the tests have, and no more", () => {
  const readme = readFileSync(join(PROJECT, "README.md"), "utf8");
  const command = /^deno run .*?src\/main\.ts/ms.exec(readme)?.[0] ?? "";
  const shown = command.split(/[\s\\]+/).filter((word) => word.startsWith("--"));
  const tested = denoPermissions(["/studio", "/mnt/nas"]).map((flag) => flag.replace(PROJECT, "."));
  expect(shown).toEqual(tested);
});
