/**
 * Backups against `zip -qr` and `unzip -q`, A B A B in one run, medians: `bun bench/backup/main.ts [SCENARIO…]
 * [--rounds N] [--scale F]`. Ours is a program that only makes and restores backups, compiled as the one that is installed.
 * Restores go into a workspace of their own; both sides find the archive in the page cache.
 */
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "../../scripts/build/compile.ts";
import { hostTarget } from "../../scripts/build/targets.ts";
import { compare, measure, tableRows } from "../transfer/measure.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "3" }, scale: { type: "string", default: "1" } },
});
const rounds = Number(values.rounds);
const scale = Number(values.scale);

interface Scenario {
  readonly name: string;
  readonly fill: (assets: string) => void;
}

const SCENARIOS: readonly Scenario[] = [
  { name: "text", fill: (assets) => fill(assets, Math.ceil(300 * scale), 2_000_000, script) },
  { name: "noise", fill: (assets) => fill(assets, Math.ceil(100 * scale), 8_000_000, noise) },
  { name: "small", fill: (assets) => fill(assets, Math.ceil(100_000 * scale), 3_000, script) },
];

/** 500 files a folder. */
function fill(
  assets: string,
  files: number,
  bytes: number,
  content: (bytes: number, seed: number) => Uint8Array,
): void {
  for (let i = 0; i < files; i++) {
    const folder = join(assets, `d${Math.floor(i / 500)}`);
    if (i % 500 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${i}.dat`), content(bytes - ((i * 7_919) % (bytes >> 1)), i));
  }
}

const WORDS =
  'the a of and to in she he they say said think look at with her his eyes door night light rain again never always maybe "yes" "no" scene bg show hide jump menu label with fade dissolve mika yuki teacher hallway classroom music play stop'.split(
    " ",
  );

/** Dialogue and commands with words as often as in writing: few often, many seldom. */
function script(bytes: number, seed: number): Uint8Array {
  let state = seed * 2_654_435_761 + 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
  const parts: string[] = [];
  for (let length = 0; length < bytes; ) {
    const word = WORDS[Math.floor(random() ** 2 * WORDS.length)] ?? "";
    const text = random() < 0.08 ? `${word}\n` : random() < 0.03 ? `${Math.floor(random() * 1_000)} ` : `${word} `;
    parts.push(text);
    length += text.length;
  }
  return new TextEncoder().encode(parts.join("")).subarray(0, bytes);
}

function noise(bytes: number): Uint8Array {
  const result = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(result.subarray(at, at + 65_536));
  return result;
}

/** One run, once what was written before is on the disk: else a run pays for the one before it. */
async function measureAlone(command: string[]): ReturnType<typeof measure> {
  await Bun.spawn(["sync"]).exited;
  return await measure(command, {});
}

async function run({ name, fill: fillAssets }: Scenario, work: string, contender: string): Promise<void> {
  const root = join(work, name);
  fillAssets(join(root, "assets"));
  const theirs = join(work, `${name}.zip`);
  const archives = join(root, "backups/cloud");
  const create = await compare(
    [
      { name: "comfyvn-sync", run: () => measureAlone([contender, "create", root]) },
      {
        name: "zip -qr",
        run: () => {
          rmSync(theirs, { force: true });
          return measureAlone(["sh", "-c", `cd "${root}" && zip -qr "${theirs}" assets`]);
        },
      },
    ],
    rounds,
  );
  const [ours = ""] = readdirSync(archives);
  const sizes = [statSync(join(archives, ours)).size, statSync(theirs).size];
  for (const row of tableRows(`create ${name}`, create)) console.log(row);
  console.log(
    `| create ${name} | sizes | ${sizes.join(" | ")} | ${((sizes[0] ?? 0) / (sizes[1] ?? 1)).toFixed(3)} × |`,
  );
  // Nothing is removed until all is measured: ext4 spends milliseconds on each inode that was freed half a minute ago.
  const away = (round: number, whose: string) => join(work, `${name}-${whose}-${round}`);
  const restore = await compare(
    [
      {
        name: "comfyvn-sync",
        run: (round) => {
          const workspace = away(round, "ours");
          mkdirSync(join(workspace, "backups/cloud"), { recursive: true });
          linkSync(join(archives, ours), join(workspace, "backups/cloud", ours));
          return measureAlone([contender, "restore", workspace, ours]);
        },
      },
      {
        name: "unzip -q",
        run: (round) => measureAlone(["unzip", "-q", join(archives, ours), "-d", away(round, "theirs")]),
      },
    ],
    rounds,
  );
  for (const row of tableRows(`restore ${name}`, restore)) console.log(row);
  for (const each of readdirSync(work)) rmSync(join(work, each), { recursive: true });
}

const base = mkdtempSync(join(tmpdir(), "comfyvn-bench-backup-"));
try {
  const target = hostTarget();
  if (target === undefined) throw new Error("nothing can be compiled for this machine");
  const contender = join(base, "contender");
  const project = join(import.meta.dir, "../..");
  await compile({ project, target, bun: process.execPath, outfile: contender, entry: "bench/backup/contender.ts" });
  const work = join(base, "work");
  mkdirSync(work);
  console.log("| scenario | | wall | cpu | memory |\n|---|---|---|---|---|");
  for (const scenario of SCENARIOS) {
    if (positionals.length === 0 || positionals.includes(scenario.name)) await run(scenario, work, contender);
  }
} finally {
  rmSync(base, { recursive: true, force: true });
}
