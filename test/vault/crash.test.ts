import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { fileVaultStorage } from "../../src/vault/file-vault-storage.ts";
import { SecretsVault } from "../../src/vault/secrets-vault.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { foreignSeal, ITERATIONS_FEW } from "./vault-helpers.ts";

/** Longer than a kilobyte, so that a limit on file sizes cuts a write short. */
const OLD = JSON.stringify(foreignSeal(JSON.stringify({ n: 0, filler: "x".repeat(2000) }), "pw"));
/** Where processes may be traced: Linux with strace, outside the strictest containers. */
const STRACE = traceable(Bun.which("strace"));

interface Crash {
  readonly folder: string;
  readonly path: string;
  readonly output: string;
  readonly killed: boolean;
}

/** A process that saves n = 1 over OLD, begun by `launch`, which gets the command and the vault's folder. */
async function save(launch: (command: string[], folder: string) => string[]): Promise<Crash> {
  const folder = tempFolder();
  const path = join(folder, "vault.json");
  writeFileSync(path, OLD, { mode: 0o600 });
  const command = [process.execPath, join(import.meta.dir, "save-worker.ts"), path, "1"];
  const child = Bun.spawn(launch(command, folder), { stdout: "pipe", stderr: "ignore" });
  const output = (await new Response(child.stdout).text()).trim();
  const status = await child.exited;
  return { folder, path, output, killed: child.signalCode === "SIGKILL" || status === 137 };
}

function traceable(strace: string | null): string | undefined {
  if (strace === null) return undefined;
  return Bun.spawnSync([strace, "-qq", "-o", "/dev/null", "true"]).exitCode === 0 ? strace : undefined;
}

function vaultAt(path: string): SecretsVault {
  return new SecretsVault(fileVaultStorage(bunPlatform().files, path), { iterations: ITERATIONS_FEW });
}

/** "old" when the file is byte-identical, "new" when it opens as what was saved; nothing else is let pass. */
async function stateOf({ path }: Crash): Promise<"old" | "new"> {
  if (readFileSync(path, "utf8") === OLD) return "old";
  expect(await vaultAt(path).get("n", "pw")).toBe(1);
  return "new";
}

/** After a crash the next save goes through and leaves nothing of the one before. */
async function expectRecovery({ folder, path }: Crash): Promise<void> {
  await vaultAt(path).set("n", 2, "pw");
  expect(await vaultAt(path).get("n", "pw")).toBe(2);
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
}

describe("a save that fails part-way", () => {
  test("a write cut short by a limit is an error, and the old vault is byte-identical", async () => {
    const crash = await save((command) => ["sh", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "sh", ...command]);
    expect(crash.output).toBe("disk_full");
    expect(await stateOf(crash)).toBe("old");
    expect(readdirSync(crash.folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("killed at any moment, the vault holds each save that was acknowledged", async () => {
    const folder = tempFolder();
    const path = join(folder, "vault.json");
    writeFileSync(path, OLD);
    let acknowledged = 0;
    for (let round = 1; round <= 12; round++) {
      const child = Bun.spawn([process.execPath, join(import.meta.dir, "save-worker.ts"), path, String(round)], {
        stdout: "pipe",
      });
      const timer = setTimeout(() => child.kill("SIGKILL"), 40 + round * 8);
      const output = (await new Response(child.stdout).text()).trim();
      await child.exited;
      clearTimeout(timer);
      const found = await vaultAt(path).get("n", "pw");
      if (output === "saved") expect(found).toBe(round);
      else expect([acknowledged, round]).toContain(Number(found));
      acknowledged = Number(found);
    }
    await expectRecovery({ folder, path, output: "", killed: true });
  }, 60_000);
});

if (STRACE !== undefined) {
  /** SIGKILL on entering the `nth` of `call`, only on `path` when given. */
  const killAt = (call: string, nth: number, onFolder = false) =>
    save((command, folder) => {
      const filter = onFolder ? ["-P", folder] : [];
      const inject = ["-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${nth}`];
      return [STRACE, "-f", "-qq", "-o", "/dev/null", ...filter, ...inject, ...command];
    });

  describe("SIGKILL at a system call of the save leaves the old vault or the new, whole", () => {
    const moments = [
      { name: "before the temp file has its mode", call: "fchmod", state: "old" },
      { name: "before the temp file is on the disk", call: "fsync", state: "old" },
      { name: "before the rename", call: "rename", state: "old" },
      { name: "before the folder is on the disk", call: "fsync", onFolder: true, state: "new" },
    ] as const;
    for (const moment of moments) {
      test(moment.name, async () => {
        const crash = await killAt(moment.call, 1, "onFolder" in moment);
        expect(crash.killed).toBe(true);
        expect(crash.output).toBe("");
        expect(await stateOf(crash)).toBe(moment.state);
        await expectRecovery(crash);
      });
    }

    test("at every third write of each thread, from start to end", async () => {
      let kills = 0;
      for (let nth = 1; ; nth += 3) {
        const crash = await killAt("write,pwrite64", nth);
        if (!crash.killed) break;
        kills++;
        await stateOf(crash);
        await expectRecovery(crash);
      }
      expect(kills).toBeGreaterThan(3);
    }, 60_000);
  });

  describe("an error of a system call of the save is reported, and the old vault is byte-identical:", () => {
    for (const fault of ["fchmod:error=EIO", "fsync:error=ENOSPC:when=1", "rename:error=ENOSPC"]) {
      test(fault, async () => {
        const call = fault.slice(0, fault.indexOf(":"));
        const crash = await save((command) => {
          return [STRACE, "-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${fault}`, ...command];
        });
        expect(["disk_full", "write_failed"]).toContain(crash.output);
        expect(await stateOf(crash)).toBe("old");
        expect(readdirSync(crash.folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
      });
    }
  });

  test("a save is acknowledged only after its bytes, then its name, are on the disk", async () => {
    const log = join(tempFolder(), "trace");
    const calls = "trace=write,pwrite64,fsync,fchmod,rename";
    const crash = await save((command) => [STRACE, "-f", "-y", "-qq", "-s", "8", "-o", log, "-e", calls, ...command]);
    expect(crash.output).toBe("saved");
    const steps = readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line.includes(crash.folder) || line.includes("saved"))
      .map((line) => {
        const call = /(write|fsync|fchmod|rename)(?:64)?\(/.exec(line)?.[1];
        if (line.includes("saved")) return "acknowledge";
        return `${call} ${line.includes(".tmp") ? "temp" : "folder"}`;
      });
    expect(steps).toEqual(["write temp", "fchmod temp", "fsync temp", "rename temp", "fsync folder", "acknowledge"]);
  });
}
