/**
 * `bun bench/manifest/main.ts [ROUNDS]`: scans against git, coreutils and plain Python on the same trees, one after the
 * other in every round, warm cache, every measured thing in a process of its own. Prints medians as a Markdown table.
 * Ours is a program that only scans, compiled as the one that is installed; beside it the same from source by Bun.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { compile } from "../../scripts/build/compile.ts";
import { hostTarget } from "../../scripts/build/targets.ts";

interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly output: string;
}

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly prepare?: () => void;
  /** The least that `ours` should be faster, as a part of the peer's time. */
  readonly target?: number;
}

interface Row {
  readonly ours: Contender;
  readonly peers: readonly Contender[];
}

const PROJECT = resolve(import.meta.dir, "../..");
const SOURCE = "bench/manifest/scenario.ts";
const rounds = Number(process.argv[2] ?? 5);
const cores = availableParallelism();
const base = mkdtempSync(join(tmpdir(), "comfyvn-bench-"));
const compiled = join(base, "scan");
const fromSource = [process.execPath, join(PROJECT, SOURCE)];

try {
  const target = hostTarget();
  if (target === undefined) throw new Error("nothing can be compiled for this machine");
  await compile({ project: PROJECT, target, bun: process.execPath, outfile: compiled, entry: SOURCE });
  const small = plantTree("small", 100_000, 1_000, 300, 9_000);
  const large = plantTree("large", 4, 1, 200 * 1_048_576);
  sh("git init -q . && git add assets && git -c user.name=b -c user.email=b@localhost commit -q -m bench", small);
  // Freshly written files are not trusted by any index yet.
  await Bun.sleep(2_500);
  console.log(`${cores} cores, Bun ${Bun.version}, ${rounds} rounds, medians; wall time of whole processes\n`);
  console.log("| what | wall | CPU | peak memory | ratio (target) |\n|---|---|---|---|---|");
  compare({
    ours: ours("100,000 files, cold index", small, true),
    peers: [inSource(ours("", small, true)), sha256sum(small, 0.75), python(small, 0.1)],
  });
  compare({
    ours: ours("100,000 files, unchanged", small, false),
    peers: [
      inSource(ours("", small, false)),
      { name: "git status", command: ["git", "status"], cwd: small, target: 1.5 },
      python(small, 0.1),
    ],
  });
  compare({ ours: ours("4 × 200 MB, cold index", large, true), peers: [sha256sum(large, 1.2), python(large, 0.1)] });
  compare({ ours: ours("4 × 200 MB, unchanged", large, false), peers: [python(large, 0.1)] });
  compare({ ours: { name: "starting alone", command: [compiled, "start"] }, peers: [] });
  console.log("\n| inside one process, warm | time | per entry | peak memory |\n|---|---|---|---|");
  for (const count of [10_000, 100_000, 1_000_000]) inside("scan of a synthetic source", "entries", count);
  for (const count of [10_000, 100_000, 1_000_000]) inside("diff of two manifests", "diff", count);
} finally {
  rmSync(base, { recursive: true, force: true });
}

function ours(name: string, root: string, cold: boolean): Contender {
  const index = join(root, "cache/cloud/hash-index.sqlite");
  const prepare = () => (cold ? rmSync(index, { force: true }) : undefined);
  return { name, command: [compiled, "scan", root], prepare };
}

function inSource(contender: Contender): Contender {
  return { ...contender, name: "from source, by Bun", command: [...fromSource, ...contender.command.slice(1)] };
}

function sha256sum(root: string, target: number): Contender {
  // Nobody reads its output here: it would wait for whoever does.
  const command = ["sh", "-c", `find assets -type f -print0 | xargs -0 -P${cores} sha256sum >/dev/null`];
  return { name: `find and xargs -P${cores} sha256sum`, command, cwd: root, target };
}

function python(root: string, target: number): Contender {
  return { name: "Python", command: ["python3", join(import.meta.dir, "peer_scan.py"), root, "assets"], target };
}

function compare({ ours: mine, peers }: Row): void {
  const all = [mine, ...peers];
  const samples = new Map<Contender, Sample[]>(all.map((each) => [each, []]));
  // The first round warms the caches and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const each of round % 2 === 0 ? all : all.toReversed()) {
      const sample = measure(each);
      if (round > 0) samples.get(each)?.push(sample);
    }
  }
  const wall = (each: Contender) => median((samples.get(each) ?? []).map(({ wallMs }) => wallMs));
  for (const each of all) {
    const own = samples.get(each) ?? [];
    const cpu = median(own.map(({ cpuMs }) => cpuMs));
    const peak = median(own.map(({ peakBytes }) => peakBytes));
    const ratio = each.target === undefined ? "" : `${(wall(mine) / wall(each)).toFixed(2)} (≤ ${each.target})`;
    const name = each === mine ? `**${each.name}**` : `· ${each.name}`;
    console.log(`| ${name} | ${seconds(wall(each))} | ${seconds(cpu)} | ${megabytes(peak)} | ${ratio} |`);
  }
  checkDigest(mine, peers, samples);
}

/** A fast scan that is wrong is worth nothing. */
function checkDigest(
  { name, command }: Contender,
  peers: readonly Contender[],
  samples: ReadonlyMap<Contender, Sample[]>,
) {
  const peer = peers.find((each) => each.name === "Python");
  const digest = peer && samples.get(peer)?.[0]?.output.trim().split(" ").at(-1);
  if (digest === undefined) return;
  const { output } = measure({ name, command: command.map((word) => (word === "scan" ? "digest" : word)) });
  if (!output.includes(digest)) throw new Error(`${name}: the digest is not Python's`);
}

function inside(what: string, kind: string, count: number): void {
  const samples = Array.from({ length: rounds }, () => measure({ name: what, command: [compiled, kind, `${count}`] }));
  const ms = median(samples.map(({ output }) => Number(/"ms":([\d.]+)/.exec(output)?.[1])));
  const peak = median(samples.map(({ peakBytes }) => peakBytes));
  const perEntry = `${((ms * 1_000) / count).toFixed(2)} µs`;
  console.log(`| ${what}, ${count.toLocaleString("en")} entries | ${seconds(ms)} | ${perEntry} | ${megabytes(peak)} |`);
}

function measure({ name, command, cwd, prepare }: Contender): Sample {
  prepare?.();
  const startMs = performance.now();
  const result = Bun.spawnSync([...command], { cwd: cwd ?? base, stdin: "ignore", stderr: "pipe" });
  const wallMs = performance.now() - startMs;
  if (result.exitCode !== 0) throw new Error(`${name} failed: ${result.stderr.toString()}`);
  const { cpuTime, maxRSS } = result.resourceUsage;
  return { wallMs, cpuMs: Number(cpuTime.total) / 1_000, peakBytes: maxRSS, output: result.stdout.toString() };
}

/** In a process of its own: what this one has ever held would count as the peak of all that it starts. */
function plantTree(name: string, ...sizes: readonly number[]): string {
  const root = join(base, name);
  sh([process.execPath, join(import.meta.dir, "plant-tree.ts"), root, ...sizes].join(" "), base);
  return root;
}

function sh(command: string, cwd: string): void {
  const { exitCode, stderr } = Bun.spawnSync(["sh", "-c", command], { cwd, stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command} failed: ${stderr.toString()}`);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function seconds(ms: number): string {
  return ms < 100 ? `${ms.toFixed(1)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
