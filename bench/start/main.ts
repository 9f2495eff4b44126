/**
 * `bun bench/start/main.ts [ROUNDS]`: from the start of a process to `listening on …`, and what it holds when idle: the
 * compiled file (built by `bun run build`), `bun run serve`, and Deno. Exit status 1 when a limit is missed.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileNameFor, hostTarget } from "../../scripts/build/targets.ts";
import { denoProgram } from "../../test/runtimes/deno-program.ts";
import { measureStarts } from "../../scripts/build/measure-starts.ts";

const project = join(import.meta.dir, "../..");
const rounds = Number(process.argv[2] ?? 15);

interface Way {
  readonly name: string;
  readonly command: readonly string[];
  readonly wallMsMax?: number;
  readonly memoryMiBMax?: number;
}

const host = hostTarget();
const compiled = join(project, "dist", "bin", host === undefined ? "" : fileNameFor(host));
const ways: readonly Way[] = [
  ...(existsSync(compiled) ? [{ name: "compiled file", command: [compiled], wallMsMax: 120, memoryMiBMax: 90 }] : []),
  {
    name: "bun run cli serve",
    command: [process.execPath, "run", `--cwd=${project}`, "--silent", "cli"],
    wallMsMax: 350,
    memoryMiBMax: 90,
  },
  { name: "bun src/main.ts serve", command: [process.execPath, join(project, "src/main.ts")] },
  {
    name: "deno run",
    command: [denoProgram(project), "run", "--allow-all", join(project, "src/main.ts")],
  },
];

if (!existsSync(compiled)) console.log("no compiled file: bun run build makes one");
let missed = false;
for (const { name, command, wallMsMax, memoryMiBMax } of ways) {
  const { wallMs, cpuMs, memoryMiB } = await measureStarts(command, rounds);
  const fits = wallMs <= (wallMsMax ?? Infinity) && (memoryMiB ?? 0) <= (memoryMiBMax ?? Infinity);
  if (!fits) missed = true;
  const limits = wallMsMax === undefined ? "" : `  (at most ${wallMsMax} ms, ${memoryMiBMax} MiB)`;
  console.log(
    `${name.padEnd(24)} ${String(wallMs).padStart(5)} ms to listen  ${String(cpuMs ?? "?").padStart(5)} ms CPU  ` +
      `${String(memoryMiB ?? "?").padStart(4)} MiB idle${limits}${fits ? "" : "  MISSED"}`,
  );
}
process.exit(missed ? 1 : 0);
