import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { cliWorkspace, lineOf } from "./cli-process.ts";

test("--once shows every step with what it should give, ends with 0 and leaves nothing behind", async () => {
  const workspace = cliWorkspace();
  const { status, stdout, stderr } = await workspace.call(["demo", "--once"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^vault {6}created, [^\n]*\*{8}/m);
  const files = /^dry run {4}(\d+) uploads = (\d+) files, \d+ KiB$/m.exec(stdout);
  expect(Number(files?.[1])).toBeGreaterThan(30);
  expect(files?.[2]).toBe(files?.[1]);
  expect(stdout).toMatch(new RegExp(`^run {8}ok: ${files?.[1]} files uploaded, `, "m"));
  expect(stdout).toMatch(new RegExp(`^dry run {4}0 uploads, 0 deletes: ${files?.[1]} files unchanged$`, "m"));
  expect(stdout).toMatch(/^backup {5}backups\/cloud\/\d{8}T\d{6}Z-demo\.zip: \d+ files, /m);
  expect(stdout).toMatch(/^restore {4}assets\/characters\/mika\/pose-1\.png was deleted and is back; /m);
  // TMPDIR is this folder.
  expect(readdirSync(workspace.other)).toEqual([]);
  expect(readdirSync(workspace.root)).toEqual([]);
});

test("it serves on until Ctrl-C, then ends with 0 and leaves nothing behind", async () => {
  const workspace = cliWorkspace();
  await workspace.during(["demo"], async (child) => {
    const base = (await lineOf(child, /^listening on /)).slice("listening on ".length);
    const answer = await fetch(`${base}/api/sync/manifest`);
    expect(answer.status).toBe(200);
    await answer.body?.cancel();
    child.kill("SIGINT");
    expect(await child.exited).toBe(0);
  });
  expect(readdirSync(workspace.other)).toEqual([]);
});

test("Ctrl-C before it serves removes both folders too", async () => {
  const workspace = cliWorkspace();
  await workspace.during(["demo"], async (child) => {
    await lineOf(child, /^workspace /);
    child.kill("SIGINT");
    // Either the steps were cut short, or they had just ended.
    expect([130, 0]).toContain(await child.exited);
  });
  expect(readdirSync(workspace.other)).toEqual([]);
});

test("neither a proxy, nor a token, nor a workspace of the environment changes it", async () => {
  const workspace = cliWorkspace();
  const env = {
    HTTP_PROXY: "http://127.0.0.1:9",
    http_proxy: "http://127.0.0.1:9",
    no_proxy: "example.com",
    COMFYVN_API_TOKEN: "a token",
    COMFYVN_ROOT: "/not/there",
    COMFYVN_PORT: "none",
  };
  expect((await workspace.call(["demo", "--once"], { env })).status).toBe(0);
});

test("a --root is said not to be used", async () => {
  const workspace = cliWorkspace();
  const { status, stderr } = await workspace.call(["demo", "--once", "--root", workspace.root]);
  expect(status).toBe(0);
  expect(stderr).toContain("--root is not used");
  expect(readdirSync(workspace.root)).toEqual([]);
});
