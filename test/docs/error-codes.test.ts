import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROBLEM_STATUS } from "../../src/server/problem.ts";

const ROW = /^\| `([a-z_]+)` +\| (\d{3}) +\| (.+?) +\|$/gm;

test("no code reaches a user that the API's page does not tell the status and the remedy of", () => {
  const page = readFileSync(join(import.meta.dir, "../../docs/API.md"), "utf8");
  const rows = [...page.matchAll(ROW)].map(([, code = "", status]) => [code, Number(status)] as const);
  expect(new Set(rows.map(([code]) => code)).size).toBe(rows.length);
  expect(Object.fromEntries(rows)).toEqual(PROBLEM_STATUS);
});
