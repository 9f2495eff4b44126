import { expect } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { fileVaultStorage } from "../../src/vault/file-vault-storage.ts";
import { SecretsVault } from "../../src/vault/secrets-vault.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { foreignSeal, ITERATIONS_FEW } from "./vault-helpers.ts";

/** Longer than a kilobyte, so that a limit on file sizes cuts a write short. */
export const OLD_VAULT = JSON.stringify(foreignSeal(JSON.stringify({ n: 0, filler: "x".repeat(2000) }), "pw"));
export const SAVE_WORKER = join(import.meta.dir, "save-worker.ts");
const ATTACH_MS_MAX = 20_000;

/** What a save left behind. */
export interface Crash {
  readonly folder: string;
  readonly path: string;
  readonly output: string;
  readonly killed: boolean;
}

/** A process that saves n = 1 over OLD_VAULT, begun by `launch`, which gets the command and the vault's folder. */
export async function save(launch: (command: string[], folder: string) => string[]): Promise<Crash> {
  const { folder, path } = plantVault();
  const child = Bun.spawn(launch([process.execPath, SAVE_WORKER, path, "1"], folder), {
    stdout: "pipe",
    stderr: "ignore",
  });
  const output = (await new Response(child.stdout).text()).trim();
  const status = await child.exited;
  return { folder, path, output, killed: child.signalCode === "SIGKILL" || status === 137 };
}

/**
 * The same with `strace ...options` attached to the process before its save begins: all that is traced, counted and
 * injected is the save's own, of whatever thread.
 */
export async function tracedSave(options: readonly string[]): Promise<Crash> {
  const { folder, path } = plantVault();
  const child = Bun.spawn([process.execPath, SAVE_WORKER, path, "1", "wait"], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  let tracer: Bun.Subprocess | undefined;
  try {
    const output: ReadableStreamDefaultReader<Uint8Array> = child.stdout.getReader();
    await output.read();
    tracer = Bun.spawn(["strace", "-f", "-qq", "-p", String(child.pid), ...options], { stderr: "ignore" });
    await traced(child);
    await begin(child.stdin);
    let text = "";
    for (let chunk = await output.read(); !chunk.done; chunk = await output.read()) {
      text += new TextDecoder().decode(chunk.value);
    }
    await child.exited;
    return { folder, path, output: text.trim(), killed: child.signalCode === "SIGKILL" };
  } finally {
    child.kill("SIGKILL");
    tracer?.kill("SIGKILL");
  }
}

/** Lets the save begin. A process that is killed already takes no line. */
async function begin(stdin: Bun.FileSink): Promise<void> {
  try {
    await stdin.write("go\n");
    await stdin.flush();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
  }
}

/** Resolves when every thread of the process is traced, or it has met its injected end before the save began. */
async function traced(child: Bun.Subprocess): Promise<void> {
  const deadline = Date.now() + ATTACH_MS_MAX;
  const tasks = `/proc/${child.pid}/task`;
  const allTraced = () => {
    try {
      return readdirSync(tasks).every(
        (task) => !/TracerPid:\s+0\n/.test(readFileSync(join(tasks, task, "status"), "utf8")),
      );
    } catch {
      // Threads come and go: the next look tells.
      return false;
    }
  };
  while (!allTraced()) {
    if (child.signalCode !== null || child.exitCode !== null) return;
    if (Date.now() > deadline) throw new Error("strace does not attach");
    await Bun.sleep(2);
  }
}

function plantVault(): { readonly folder: string; readonly path: string } {
  const folder = tempFolder();
  const path = join(folder, "vault.json");
  writeFileSync(path, OLD_VAULT, { mode: 0o600 });
  return { folder, path };
}

export function vaultAt(path: string): SecretsVault {
  return new SecretsVault(fileVaultStorage(bunPlatform().files, path), { iterations: ITERATIONS_FEW });
}

/** "old" when the file is byte-identical, "new" when it opens as what was saved; nothing else is let pass. */
export async function stateOf({ path }: Pick<Crash, "path">): Promise<"old" | "new"> {
  if (readFileSync(path, "utf8") === OLD_VAULT) return "old";
  expect(await vaultAt(path).get("n", "pw")).toBe(1);
  return "new";
}

/** After a crash the next save goes through and leaves nothing of the one before. */
export async function expectRecovery({ folder, path }: Pick<Crash, "folder" | "path">): Promise<void> {
  await vaultAt(path).set("n", 2, "pw");
  expect(await vaultAt(path).get("n", "pw")).toBe(2);
  expect(tempFilesIn(folder)).toEqual([]);
}

export function tempFilesIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".tmp"));
}
