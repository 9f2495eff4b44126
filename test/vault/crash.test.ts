import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "../support/temp-folder.ts";
import {
  expectRecovery,
  OLD_VAULT,
  SAVE_WORKER,
  save,
  stateOf,
  tempFilesIn,
  tracedSave,
  vaultAt,
} from "./traced-save.ts";

/** Where processes may be traced: Linux with strace, outside the strictest containers. */
const TRACEABLE = Bun.which("strace") !== null && Bun.spawnSync(["strace", "-qq", "-o", "/dev/null", "true"]).success;
/** Saves at a time: each is a process, its tracer, and threads of both. */
const AT_ONCE = 4;

test("CI can trace processes, so that no test below is left out there", () => {
  expect(TRACEABLE || process.env["CI"] !== "true").toBe(true);
});

describe("security 7: a save that fails part-way", () => {
  test("by a write cut short by a limit is an error, and the old vault is byte-identical", async () => {
    const crash = await save((command) => ["sh", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "sh", ...command]);
    expect(crash.output).toBe("disk_full");
    expect(await stateOf(crash)).toBe("old");
    expect(tempFilesIn(crash.folder)).toEqual([]);
  });

  if (TRACEABLE) {
    test("on a disk of 64 KiB that is full but for a page is an error, and the old vault is byte-identical", async () => {
      const folder = tempFolder();
      const original = join(folder, "original.json");
      writeFileSync(original, OLD_VAULT);
      // In a mount namespace of its own, which ends with the shell. Room for the lock and a part of the temp file.
      const script = `set -e
        mkdir "$1/disk"; mount -t tmpfs -o size=64k tmpfs "$1/disk"; cp "$1/original.json" "$1/disk/vault.json"
        dd if=/dev/zero of="$1/disk/filler" bs=4096 count=99 2>/dev/null || true
        truncate -s -4096 "$1/disk/filler"
        "$2" "$3" "$1/disk/vault.json" 1 || true
        cmp "$1/original.json" "$1/disk/vault.json" && echo identical
        ls -A "$1/disk"`;
      const command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", folder];
      const child = Bun.spawn([...command, process.execPath, SAVE_WORKER], { stdout: "pipe", stderr: "inherit" });
      const lines = (await new Response(child.stdout).text()).trim().split("\n");
      expect(lines).toEqual(["disk_full", "identical", "filler", "vault.json", "vault.json.lock"]);
    });

    test.each(["fchmod:error=EIO", "fsync:error=ENOSPC:when=1", "pwrite64:error=EIO", "rename:error=ENOSPC"])(
      "by %s is reported, and the old vault is byte-identical",
      async (fault) => {
        const crash = await tracedSave(["-o", "/dev/null", "-e", `inject=${fault}`]);
        expect(["disk_full", "write_failed"]).toContain(crash.output);
        expect(await stateOf(crash)).toBe("old");
        expect(tempFilesIn(crash.folder)).toEqual([]);
      },
    );
  }
});

test("killed at any moment, the vault holds each save that was acknowledged", async () => {
  const folder = tempFolder();
  const path = join(folder, "vault.json");
  writeFileSync(path, OLD_VAULT);
  let acknowledged = 0;
  for (let round = 1; round <= 12; round++) {
    const child = Bun.spawn([process.execPath, SAVE_WORKER, path, String(round)], { stdout: "pipe" });
    const timer = setTimeout(() => child.kill("SIGKILL"), 40 + round * 8);
    const output = (await new Response(child.stdout).text()).trim();
    await child.exited;
    clearTimeout(timer);
    const found = await vaultAt(path).get("n", "pw");
    if (output === "saved") expect(found).toBe(round);
    else expect([acknowledged, round]).toContain(Number(found));
    acknowledged = Number(found);
  }
  await expectRecovery({ folder, path });
}, 60_000);

if (TRACEABLE) {
  test("security 6: SIGKILL at every system call of a save leaves the old vault or the new, whole", async () => {
    const log = join(tempFolder(), "trace");
    await tracedSave(["-o", log]);
    const calls = new Set(readFileSync(log, "utf8").match(/(?<=^\d+ +)\w+(?=\()/gm));
    // What puts a save on the disk is among what the kills go through.
    for (const call of ["openat", "pwrite64", "fchmod", "fsync", "rename", "close"]) expect([...calls]).toContain(call);
    const ends = { old: 0, new: 0 };
    const killAtEach = async (call: string) => {
      for (let nth = 1; ; nth++) {
        const crash = await tracedSave(["-o", "/dev/null", "-e", `inject=${call}:signal=SIGKILL:when=${nth}`]);
        if (!crash.killed) return;
        const state = await stateOf(crash);
        // What was acknowledged is there.
        if (crash.output === "saved") expect(state).toBe("new");
        ends[state]++;
        await expectRecovery(crash);
      }
    };
    const queue = [...calls];
    const work = async () => {
      for (let call = queue.shift(); call !== undefined; call = queue.shift()) await killAtEach(call);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    // A save makes more than a hundred calls, and most of them before its rename.
    expect(ends.old).toBeGreaterThan(60);
    expect(ends.new).toBeGreaterThan(5);
    console.log(`killed at ${ends.old + ends.new} system calls: ${ends.old} times old, ${ends.new} times new`);
  }, 400_000);

  test("security 8: a save is acknowledged only after its bytes, then its name, are on the disk", async () => {
    const log = join(tempFolder(), "trace");
    const calls = "trace=write,pwrite64,fsync,fchmod,rename";
    const crash = await tracedSave(["-y", "-s", "8", "-o", log, "-e", calls]);
    expect(crash.output).toBe("saved");
    const steps = readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => (line.includes(crash.folder) && !line.includes(".lock>")) || line.includes("saved"))
      .map((line) => {
        const call = /(write|fsync|fchmod|rename)(?:64)?\(/.exec(line)?.[1];
        if (line.includes("saved")) return "acknowledge";
        return `${call} ${line.includes(".tmp") ? "temp" : "folder"}`;
      });
    expect(steps).toEqual(["write temp", "fchmod temp", "fsync temp", "rename temp", "fsync folder", "acknowledge"]);
  });
}
