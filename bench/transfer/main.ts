/**
 * Transfers to a real S3 server against rclone and aws-cli: same server, same data, one run, A B A B, medians.
 *
 *   bash test/services/ceph-rgw.sh          (prints `ready`; http://127.0.0.1:7480)
 *   bun bench/transfer/main.ts [small|large|unchanged|huge …] [--rounds N] [--peers rclone,aws]
 *
 * COMFYVN_TEST_RGW names another server. Prints a Markdown table; a ratio is ours to theirs. Every contender is a whole
 * process, start-up and the scan of the source included. Ours is the compiled file that `bun run build` makes, which is
 * what is installed, as rclone is; beside it the same from source by Bun.
 */
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { App } from "../../src/app.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { compile } from "../../scripts/build/compile.ts";
import { hostTarget } from "../../scripts/build/targets.ts";
import { CephRgw } from "../../test/services/ceph-rgw.ts";
import { fill } from "./fill.ts";
import { compare, type Contender, measure, tableRows } from "./measure.ts";

const PROJECT = resolve(import.meta.dir, "../..");
const PASSPHRASE = "bench";
const GIB = 1024 ** 3;

const rgw = new CephRgw(process.env["COMFYVN_TEST_RGW"] ?? "http://127.0.0.1:7480");
const root = mkdtempSync(join(tmpdir(), "comfyvn-bench-"));
const bucket = await rgw.createBucket();
const { positionals: wanted, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "3" }, peers: { type: "string", default: "rclone,aws" } },
});
const rounds = Number(values.rounds);
const peers = values.peers.split(",");

interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly make: (folder: string) => void;
  /** Whether each round mirrors to a place of its own, or all to one that is up to date. */
  readonly fresh: boolean;
  readonly rounds: number;
  readonly peers: boolean;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: "small",
    title: "3,000 files of 2–40 KB",
    make: (folder) => fill(folder, 3_000, (i) => 2_000 + ((i * 127) % 38_000)),
    fresh: true,
    rounds,
    peers: true,
  },
  {
    name: "large",
    title: "4 files of 200 MB",
    make: (folder) => fill(folder, 4, () => 200_000_000),
    fresh: true,
    rounds,
    peers: true,
  },
  {
    name: "unchanged",
    title: "20,000 objects, nothing changed",
    make: (folder) => fill(folder, 20_000, (i) => 300 + (i % 1_000)),
    fresh: false,
    rounds,
    peers: true,
  },
  {
    name: "huge",
    title: "one sparse file of 5 GiB",
    make: (folder) => {
      writeFileSync(join(folder, "huge.bin"), "");
      truncateSync(join(folder, "huge.bin"), 5 * GIB);
    },
    fresh: true,
    rounds: 1,
    peers: false,
  },
];

/** The program in one file, made for this run. */
async function compiled(): Promise<readonly string[]> {
  const target = hostTarget();
  if (target === undefined) throw new Error("there is no compiled file for this machine");
  const outfile = join(root, "comfyvn-sync");
  await compile({ project: PROJECT, target, bun: process.execPath, outfile });
  return [outfile];
}

/** @param place a word of its own: each contender mirrors to a snapshot of its own */
function ours(name: string, program: readonly string[], place: string, scenario: Scenario): Contender {
  return {
    name,
    run: (round) =>
      measure(
        [
          ...program,
          "run",
          "--root",
          root,
          "--service",
          "s3",
          "--json",
          "--snapshot",
          `${scenario.name}-${place}${scenario.fresh ? round : ""}`,
          "--path",
          scenario.name,
        ],
        { COMFYVN_SECRETS_KEY: PASSPHRASE, HOME: root },
      ),
  };
}

function rclone(scenario: Scenario): Contender {
  const { accessKeyId, secretAccessKey, endpoint } = rgw;
  const remote = `:s3,provider=Ceph,access_key_id=${accessKeyId},secret_access_key=${secretAccessKey},endpoint="${endpoint}":${bucket}`;
  const how = scenario.fresh ? ["--transfers", "32"] : ["--checksum", "--fast-list", "--transfers", "32"];
  return {
    name: `rclone sync ${how.join(" ")}`,
    run: (round) =>
      measure(
        [
          "rclone",
          "sync",
          "--config",
          "/dev/null",
          ...how,
          join(root, scenario.name),
          `${remote}/rclone/${scenario.name}${scenario.fresh ? round : ""}`,
        ],
        { HOME: root },
      ),
  };
}

function awsCli(scenario: Scenario): Contender {
  return {
    name: "aws s3 sync",
    run: (round) =>
      measure(
        [
          "/usr/bin/aws",
          "--endpoint-url",
          rgw.endpoint,
          "--region",
          rgw.region,
          "s3",
          "sync",
          "--only-show-errors",
          join(root, scenario.name),
          `s3://${bucket}/aws/${scenario.name}${scenario.fresh ? round : ""}`,
        ],
        {
          HOME: root,
          AWS_ACCESS_KEY_ID: rgw.accessKeyId,
          AWS_SECRET_ACCESS_KEY: rgw.secretAccessKey,
          AWS_EC2_METADATA_DISABLED: "true",
        },
      ),
  };
}

async function prepare(): Promise<void> {
  mkdirSync(join(root, "config"));
  const features = { enable_cloud_sync: true, enable_cloud_sync_s3: true };
  writeFileSync(join(root, "config/comfyvn.json"), JSON.stringify({ features }));
  const app = await App.open({ platform: bunPlatform(), root, passphrase: () => PASSPHRASE, complain: console.error });
  await app.vault.create({ cloud_sync: { s3: rgw.settingsFor(bucket) } }, PASSPHRASE);
  app.close();
}

try {
  await prepare();
  const programs = { compiled: await compiled(), source: [process.execPath, join(PROJECT, "src/main.ts")] };
  console.log("| what | who | wall | CPU | peak memory |\n|---|---|---|---|---|");
  for (const scenario of SCENARIOS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    mkdirSync(join(root, scenario.name));
    scenario.make(join(root, scenario.name));
    const contenders = [
      ours("comfyvn-sync", programs.compiled, "compiled", scenario),
      ...(scenario.peers ? [ours("bun src/main.ts", programs.source, "source", scenario)] : []),
      ...(scenario.peers && peers.includes("rclone") ? [rclone(scenario)] : []),
      ...(scenario.peers && peers.includes("aws") ? [awsCli(scenario)] : []),
    ];
    // Once without counting: warms the page cache, and brings the unchanged scenario up to date.
    if (!scenario.fresh) for (const { run } of contenders) await run(-1);
    for (const row of tableRows(scenario.title, await compare(contenders, scenario.rounds))) console.log(row);
    rmSync(join(root, scenario.name), { recursive: true });
  }
} finally {
  await rgw.removeBucket(bucket);
  rmSync(root, { recursive: true, force: true });
}
