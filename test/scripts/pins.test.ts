import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const REPOSITORY = resolve(import.meta.dir, "../..");

/** Every bun that a file asks npx or a package manager for, as `file: bun@VERSION`. */
function bunsNamedIn(file: string): string[] {
  const text = readFileSync(join(REPOSITORY, file), "utf8");
  return Array.from(text.matchAll(/\bbun@[\w.^~+-]*\w/g), ([named]) => `${file}: ${named}`);
}

test("everything that names a bun names the one that is locked, so that CI, users and developers run the same", () => {
  const manifest = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8"));
  const locked = `bun@${manifest.devDependencies.bun}`;
  expect(locked).toMatch(/^bun@\d+\.\d+\.\d+$/);
  expect(manifest.packageManager).toBe(locked);
  expect(`bun@${manifest.devDependencies["bun-types"]}`).toBe(locked);
  expect(Bun.semver.satisfies(manifest.devDependencies.bun, manifest.engines.bun)).toBe(true);

  const documents = ["*.md", "docs/**/*.md"].flatMap((glob) => [...new Bun.Glob(glob).scanSync({ cwd: REPOSITORY })]);
  const named = [".ci/run", "package.json", ...documents].flatMap(bunsNamedIn);
  expect(named).toContain(`README.md: ${locked}`);
  expect(named.filter((each) => !each.endsWith(`: ${locked}`))).toEqual([]);
});
