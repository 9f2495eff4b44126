import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { sourceOf } from "../../src/providers/conformance/sources.ts";
import type { Provider } from "../../src/providers/contract.ts";
import { openProvider } from "../../src/providers/local/local-provider.ts";
import { conformanceTests } from "../support/conformance-tests.ts";
import { foldingFiles } from "../support/folding-files.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { sha256 } from "./conformance-mutants/mutant.ts";

const { files, newHasher } = bunPlatform();

function mount(storedAs?: (name: string) => string) {
  const path = join(tempFolder(), "share");
  mkdirSync(path);
  return { path, open: () => openProvider({ path }, { files: foldingFiles(files, path, storedAs), newHasher }) };
}

async function put(provider: Provider, key: string, text: string) {
  const bytes = new TextEncoder().encode(text);
  return await provider.put(key, sourceOf(bytes), { sha256: sha256(bytes) });
}

const share = mount();
await conformanceTests("the local provider on a mount that ignores case", share.open, { newHasher, manyKeys: 40 });

test("a name that differs only in case from one that is there never overwrites it", async () => {
  const { path, open } = mount();
  const provider = await open();
  await put(provider, "assets/Hero.png", "first");
  for (const key of ["assets/hero.png", "Assets/Hero.png", "ASSETS/other.png"]) {
    await expect(put(provider, key, "second")).rejects.toMatchObject({ code: "key_collision" });
  }
  expect(readFileSync(join(path, "assets", "Hero.png"), "utf8")).toBe("first");
  expect(readdirSync(join(path, "assets"))).toEqual(["Hero.png"]);
});

test("another spelling of an object is missing, and deleting it deletes nothing", async () => {
  const provider = await mount().open();
  await put(provider, "a/Name", "kept");
  expect(await provider.stat("a/name")).toBeUndefined();
  expect(await provider.get("A/Name")).toBeUndefined();
  expect(await provider.delete(["a/NAME"])).toEqual([{ key: "a/NAME" }]);
  expect((await provider.stat("a/Name"))?.size).toBe(4);
});

test("a listing by another spelling of the prefix is empty", async () => {
  const provider = await mount().open();
  await put(provider, "Folder/file", "x");
  for await (const info of provider.list("folder/")) throw new Error(`${info.key} was listed`);
});

test("a file system that rewrites names is told apart from one that keeps them", async () => {
  const { path, open } = mount((name) => name.normalize("NFD"));
  const provider = await open();
  await expect(put(provider, "caf\u00e9.png", "x")).rejects.toMatchObject({ code: "key_collision" });
  await put(provider, "cafe\u0301.png", "y");
  expect(readdirSync(path).filter((name) => name.startsWith("caf"))).toEqual(["cafe\u0301.png"]);
});
