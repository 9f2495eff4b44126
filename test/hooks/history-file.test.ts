import { expect, test } from "bun:test";
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Hooks } from "../../src/hooks/hooks.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { tempFolder } from "../support/temp-folder.ts";

const FILE = "cache/cloud/hook-history.sqlite";

async function start(root: string) {
  const errors: unknown[] = [];
  const hooks = new Hooks({ now: () => 1_000, redact: (data) => data, onError: (error) => errors.push(error) });
  await hooks.keep({ ...bunPlatform(), root });
  const send = (count: number) => Array.from({ length: count }, () => hooks.test("on_backup_restored", {}).id);
  return { hooks, errors, send, ids: () => hooks.latest(10_000).map(({ id }) => id) };
}

test("events of earlier servers are listed, and ids of theirs resume without a gap or a double", async () => {
  const root = tempFolder();
  const first = await start(root);
  const before = first.send(3);
  first.hooks.close();
  const second = await start(root);
  const after = second.send(2);
  expect(second.ids()).toEqual([...before, ...after]);
  expect(new Set([...before, ...after]).size).toBe(5);
  const reader = second.hooks.stream([], before[1]).getReader();
  let text = "";
  while (!text.includes(after[1] ?? "")) text += new TextDecoder().decode((await reader.read()).value);
  expect([...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id)).toEqual([before[2], ...after]);
  expect(text).not.toContain("event: gap");
  second.hooks.close();
});

test("a server that was killed has kept what it published", async () => {
  const root = tempFolder();
  const first = await start(root);
  const ids = first.send(3);
  // Not closed: what is on the disk now is what a kill leaves.
  const second = await start(root);
  expect(second.ids()).toEqual(ids);
  first.hooks.close();
  second.hooks.close();
});

test("what the history forgets leaves the file, and the gap is known after a restart", async () => {
  const root = tempFolder();
  const first = await start(root);
  const ids = first.send(2_600);
  first.hooks.close();
  const second = await start(root);
  expect(second.ids()).toEqual(ids.slice(-1_000));
  const reader = second.hooks.stream([], ids[100]).getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toContain("event: gap");
  second.hooks.close();
  const third = await start(root);
  expect(third.ids()).toEqual(ids.slice(-1_000));
  third.hooks.close();
});

test.each([
  ["text", "not a database"],
  ["another application's database", undefined],
])("a file that is %s is made anew", async (_name, content) => {
  const root = tempFolder();
  (await start(root)).hooks.close();
  if (content !== undefined) writeFileSync(join(root, FILE), content);
  else {
    for (const name of readdirSync(join(root, "cache/cloud"))) writeFileSync(join(root, "cache/cloud", name), "");
    const database = bunPlatform().openDatabase(join(root, FILE));
    database.execute("CREATE TABLE items (x TEXT)");
    database.close();
  }
  const { hooks, errors, send, ids } = await start(root);
  const sent = send(1);
  expect(ids()).toEqual(sent);
  hooks.close();
  const again = await start(root);
  expect([again.ids(), errors, again.errors]).toEqual([sent, [], []]);
  again.hooks.close();
});

test("a second server of the workspace goes on without the file, and says so", async () => {
  const root = tempFolder();
  const first = await start(root);
  const second = await start(root);
  const ids = first.send(1);
  second.send(2);
  expect(second.errors).toHaveLength(1);
  expect(second.ids()).toHaveLength(2);
  first.hooks.close();
  second.hooks.close();
  const third = await start(root);
  expect(third.ids()).toEqual(ids);
  third.hooks.close();
});

test("a folder that cannot be written stops no event", async () => {
  const root = tempFolder();
  writeFileSync(join(root, "cache"), "in the way");
  const { hooks, errors, send, ids } = await start(root);
  const sent = send(1);
  expect([ids(), errors.length]).toEqual([sent, 1]);
  hooks.close();
});

test("a symlink in the file's place is not followed", async () => {
  const root = tempFolder();
  (await start(root)).hooks.close();
  const outside = join(tempFolder(), "outside");
  writeFileSync(outside, "precious");
  await bunPlatform().files.remove(join(root, FILE));
  symlinkSync(outside, join(root, FILE));
  const { hooks, send } = await start(root);
  send(1);
  hooks.close();
  expect(readFileSync(outside, "utf8")).toBe("precious");
});
