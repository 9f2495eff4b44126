import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { hookCatalogue } from "./hook-catalogue.ts";

const DOCUMENT = resolve(import.meta.dir, "../../docs/HOOKS.md");

test("docs/HOOKS.md lists every event with the fields and the example of its schema", () => {
  const text = readFileSync(DOCUMENT, "utf8");
  const listed = /<!-- catalogue -->\n\n([\s\S]*?)\n\n<!-- end of the catalogue -->/.exec(text)?.[1];
  expect(listed).toBe(hookCatalogue());
});
