/** Sizes at which formats and memory break. Registered by `bun run soak:backup` only: they take minutes and GBs. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "../support/temp-folder.ts";

const RSS_MAX_MIB = 200;
const PROCESS = join(import.meta.dir, "large-worker.ts");

interface Measured {
  readonly rssMib: number;
  readonly files: number;
}

async function inProcess(...args: readonly string[]): Promise<Measured> {
  const child = Bun.spawn([process.execPath, PROCESS, ...args], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return JSON.parse(text) as Measured;
}

async function roundTrip(root: string, files: number): Promise<void> {
  const created = await inProcess("create", root);
  expect(created.files).toBe(files);
  expect(created.rssMib).toBeLessThan(RSS_MAX_MIB);
  const [name = ""] = readdirSync(join(root, "backups/cloud"));
  if (Bun.which("unzip") !== null) {
    expect(Bun.spawnSync(["unzip", "-tqq", join(root, "backups/cloud", name)]).exitCode).toBe(0);
  }
  const verified = await inProcess("verify", root, name);
  expect(verified.files).toBe(files);
  expect(verified.rssMib).toBeLessThan(RSS_MAX_MIB);
  const restored = await inProcess("restore", root, name);
  expect(restored.files).toBe(files);
  console.log(`peak memory, MiB: create ${created.rssMib}, verify ${verified.rssMib}, restore ${restored.rssMib}`);
  expect(restored.rssMib).toBeLessThan(RSS_MAX_MIB);
}

if (process.env["BACKUP_SOAK"] === "1") {
  test("a file of 4.5 GiB goes into an archive and back within bounded memory", async () => {
    const root = tempFolder();
    mkdirSync(join(root, "assets"));
    writeFileSync(join(root, "assets/sparse"), "");
    truncateSync(join(root, "assets/sparse"), 4.5 * 1024 ** 3);
    await roundTrip(root, 1);
  }, 900_000);

  test("70,000 files go into an archive and back within bounded memory", async () => {
    const root = tempFolder();
    for (let i = 0; i < 70_000; i++) {
      if (i % 1_000 === 0) mkdirSync(join(root, "assets", String(i)), { recursive: true });
      writeFileSync(join(root, "assets", String(i - (i % 1_000)), `${i}.json`), `{"scene": ${i}}`);
    }
    await roundTrip(root, 70_000);
  }, 900_000);
}
