/**
 * `bun run build [TARGET…]`: the program as one file a machine, in dist/bin, with SHA256SUMS beside them.
 *
 * Without arguments: this machine, and every other whose Bun is already here. A named target whose Bun is missing is
 * downloaded by Bun. Prints each file's size, and how long this machine's takes from its start to listening.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { measureStarts } from "./build/measure-starts.ts";
import { compile } from "./build/compile.ts";
import { bunFor, fileNameFor, hostTarget, type Target, TARGETS } from "./build/targets.ts";

const STARTS = 15;
const project = dirname(import.meta.dir);
const folder = join(project, "dist", "bin");

checkVersion();
const asked = process.argv.slice(2);
const chosen = chooseTargets(asked);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const sums: string[] = [];
for (const target of chosen) {
  const outfile = join(folder, fileNameFor(target));
  await compile({ project, target, bun: bunFor(target, project), outfile }).catch(fail);
  sums.push(`${createHash("sha256").update(readFileSync(outfile)).digest("hex")}  ${fileNameFor(target)}\n`);
  console.log(`dist/bin/${fileNameFor(target)}  ${(statSync(outfile).size / 2 ** 20).toFixed(1)} MiB`);
}
writeFileSync(join(folder, "SHA256SUMS"), sums.join(""));
console.log("dist/bin/SHA256SUMS");
await reportStart();
reportLeftOut();

/** The Bun that builds is the Bun that is built in: it must be the one that everything was tested on. */
function checkVersion(): void {
  const { packageManager } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
    packageManager: string;
  };
  const pinned = packageManager.replace("bun@", "");
  if (Bun.version !== pinned)
    fail(`this is Bun ${Bun.version}; build with the pinned one: npx -y bun@${pinned} run build`);
}

function chooseTargets(names: readonly string[]): readonly Target[] {
  const unknown = names.filter((name) => !TARGETS.some((each) => each.name === name));
  if (unknown.length > 0) {
    console.error(`no such target: ${unknown.join(", ")}; there are ${TARGETS.map(({ name }) => name).join(", ")}`);
    process.exit(2);
  }
  return TARGETS.filter((each) => (names.length > 0 ? names.includes(each.name) : bunFor(each, project) !== undefined));
}

async function reportStart(): Promise<void> {
  const host = chosen.find(({ name }) => name === hostTarget()?.name);
  if (host === undefined) return;
  const { wallMs, cpuMs, memoryMiB } = await measureStarts([join(folder, fileNameFor(host))], STARTS);
  const more = cpuMs === undefined ? "" : `, ${cpuMs} ms of CPU, ${memoryMiB} MiB when idle`;
  console.log(`start to listening: ${wallMs} ms${more} (medians of ${STARTS})`);
}

function reportLeftOut(): void {
  const left = TARGETS.filter((each) => !chosen.includes(each)).map(({ name }) => name);
  if (asked.length > 0 || left.length === 0) return;
  console.log(`left out, because Bun ${Bun.version} for them is not on this machine: ${left.join(", ")}`);
  console.log(`name one to download its Bun and build it, e.g.: bun run build ${left[0]}`);
}

function fail(reason: unknown): never {
  console.error(reason instanceof Error ? reason.message : reason);
  process.exit(1);
}
