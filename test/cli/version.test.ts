import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { VERSION } from "../../src/core/version.ts";
import { cliWorkspace } from "./cli-process.ts";

test("a release that forgets one of the places that name the version is noticed", () => {
  const { version } = JSON.parse(readFileSync(resolve(import.meta.dir, "../../package.json"), "utf8"));
  expect(VERSION).toBe(version);
});

test("--version prints the version and nothing else", async () => {
  expect(await cliWorkspace().call(["--version"])).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: "" });
});
