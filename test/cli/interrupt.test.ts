import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CliWorkspace, cliWorkspace } from "./cli-process.ts";
import { CTRL_C, onTerminal, type TerminalResult } from "./on-terminal.ts";

const GIB = 1024 ** 3;

/** A workspace that is mirrored to the folder `other`, with one file so large that no command is through with it soon. */
function workspaceWith(bytes: number): CliWorkspace {
  const workspace = cliWorkspace();
  const features = { enable_cloud_sync: true, enable_cloud_sync_local: true };
  workspace.write("config/comfyvn.json", JSON.stringify({ features, sync: { local: { path: workspace.other } } }));
  workspace.write("assets/huge.bin", "");
  truncateSync(join(workspace.root, "assets/huge.bin"), bytes);
  return workspace;
}

/** Presses Ctrl-C as soon as `seen` is on the screen. */
async function interrupted(root: string, args: readonly string[], seen: string, env = {}): Promise<TerminalResult> {
  const result = await onTerminal(root, args, [{ question: seen, keys: CTRL_C }], { env });
  expect(result.unasked).toBe(0);
  return result;
}

/** One line says that it was cancelled, and nothing else does. */
function expectCleanEnd({ status, screen }: TerminalResult, words: string): void {
  expect(status).toBe(130);
  const said = screen.slice(screen.indexOf("cancelled:"));
  expect(screen).toContain("cancelled:");
  expect(said).toContain(words);
  expect(said).toEndWith(" [aborted]\n");
  expect(said.trimEnd()).not.toContain("\n");
}

/** Every file of a folder, its subfolders' too. */
function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

describe("Ctrl-C in the middle of", () => {
  const huge = workspaceWith(64 * GIB);

  test("a manifest ends it, and nothing was changed", async () => {
    expectCleanEnd(await interrupted(huge.root, ["manifest"], "scan  "), "nothing was changed");
  });

  test("a plan ends it, and nothing was changed", async () => {
    expectCleanEnd(await interrupted(huge.root, ["plan", "--service", "local"], "scan  "), "nothing was changed");
    expect(readdirSync(huge.other)).toEqual([]);
  });

  test("a run ends it, and nothing was published", async () => {
    const result = await interrupted(huge.root, ["run", "--service", "local"], "scan  ");
    expectCleanEnd(result, "nothing was published");
    expect(filesBelow(huge.other).filter((name) => name === "default.json")).toEqual([]);
  });

  test("a backup leaves no archive, not even half of one", async () => {
    expectCleanEnd(await interrupted(huge.root, ["backup", "create"], "archive  "), "no archive was made");
    expect(filesBelow(join(huge.root, "backups"))).toEqual([]);
  });

  test("a check of a destination removes what it has written", async () => {
    const result = await interrupted(huge.root, ["provider", "verify", "--service", "local"], "\nok   ");
    expectCleanEnd(result, "removed");
    const everything = readdirSync(huge.other, { recursive: true }) as string[];
    expect(everything.filter((path) => path.includes("conformance"))).toEqual([]);
  });

  test("the demo removes its folders", async () => {
    const { root, other } = cliWorkspace();
    expectCleanEnd(await interrupted(root, ["demo"], "mirror     ", { TMPDIR: other }), "folders are removed");
    expect(readdirSync(other)).toEqual([]);
  });

  test("the server that the demo leaves up is its normal end", async () => {
    const { root, other } = cliWorkspace();
    const { status, screen } = await interrupted(root, ["demo"], "listening on ", { TMPDIR: other });
    expect(status).toBe(0);
    expect(screen).not.toContain("error");
    expect(readdirSync(other)).toEqual([]);
  });

  test("a server is its normal end", async () => {
    const { status, screen } = await interrupted(cliWorkspace().root, ["serve", "--port", "0"], "listening on ");
    expect(status).toBe(0);
    expect(screen).not.toContain("error");
  });
});

describe("Ctrl-C in the middle of reading an archive:", () => {
  // Read at a GiB a second or so, which leaves time for the key.
  const workspace = workspaceWith(2 * GIB);
  let name = "";

  beforeAll(async () => {
    writeFileSync(join(workspace.root, "assets/small.txt"), "small");
    const created = await workspace.call(["backup", "create", "--json"]);
    name = (JSON.parse(created.stdout) as { name: string }).name;
  });

  test("a check ends, and the archive is as it was", async () => {
    const result = await interrupted(workspace.root, ["backup", "verify", name], "check  ");
    expectCleanEnd(result, "the archive is as it was");
  });

  test("a restore ends, no file is half written, and the same command goes on", async () => {
    const root = join(workspace.other, "restored");
    const archive = join(workspace.root, "backups/cloud", name);
    mkdirSync(join(root, "backups/cloud"), { recursive: true });
    writeFileSync(join(root, "backups/cloud", name), await Bun.file(archive).bytes());
    const result = await interrupted(root, ["backup", "restore", name], "restore  ");
    expectCleanEnd(result, "the same command goes on with the rest");
    const left = filesBelow(join(root, "assets"));
    expect(left.filter((each) => each !== "small.txt")).toEqual([]);
  });
});
