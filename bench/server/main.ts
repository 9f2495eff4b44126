/**
 * `bun bench/server/main.ts`: GET /api/health of the real program, with every flag on and an unlocked vault, against a bare
 * Bun.serve that answers the same JSON. In turns, so that a busy machine slows both; prints requests a second, CPU a
 * request, and the ratios.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const REPOSITORY = resolve(import.meta.dir, "../..");
const ROUNDS = 5;
const CONNECTIONS = 32;
const SECONDS = 3;
const FEATURES = ["enable_cloud_sync", "enable_cloud_sync_s3", "enable_cloud_sync_gdrive", "enable_cloud_sync_local"];

interface Contender {
  readonly name: string;
  readonly url: string;
  readonly child: Bun.Subprocess;
  readonly perSecond: number[];
  readonly cpuUs: number[];
}

const folder = mkdtempSync(join(tmpdir(), "comfyvn-bench-"));
mkdirSync(join(folder, "config"));
writeFileSync(
  join(folder, "config/comfyvn.json"),
  JSON.stringify({ features: Object.fromEntries(FEATURES.map((flag) => [flag, true])) }),
);
const env = { PATH: process.env["PATH"] ?? "", HOME: folder, COMFYVN_SECRETS_KEY: "bench" };
const main = join(REPOSITORY, "src/main.ts");
Bun.spawnSync([process.execPath, main, "vault", "init", "--root", folder], { env, stdin: "ignore" });
const contenders = [
  await start("bare Bun.serve", [join(import.meta.dir, "bare.ts")], "/"),
  await start("comfyvn-sync", [main, "serve", "--root", folder, "--port", "0"], "/api/health"),
];
try {
  const health: unknown = await (await fetch(contenders[1]?.url ?? "")).json();
  console.log(JSON.stringify(health));
  // One round for the compilers.
  for (const contender of contenders) measure(contender);
  for (const contender of contenders) contender.perSecond.length = contender.cpuUs.length = 0;
  for (let round = 0; round < ROUNDS; round++) for (const contender of contenders) measure(contender);
  const [bare, ours] = contenders.map(({ name, perSecond, cpuUs }) => {
    const best = { perSecond: Math.max(...perSecond), cpuUs: Math.min(...cpuUs) };
    console.log(`${name}: ${best.perSecond.toFixed(0)} requests/s, ${best.cpuUs.toFixed(1)} µs of CPU each`);
    return best;
  });
  if (bare !== undefined && ours !== undefined) {
    console.log(`throughput ${(ours.perSecond / bare.perSecond).toFixed(2)} of the bare server (wanted: 0.60)`);
    console.log(`by CPU     ${(bare.cpuUs / ours.cpuUs).toFixed(2)}`);
  }
} finally {
  for (const { child } of contenders) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}

async function start(name: string, args: readonly string[], path: string): Promise<Contender> {
  const child = Bun.spawn([process.execPath, ...args], { env, stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  const url = new TextDecoder().decode(value).replace("listening on ", "").trim() + path;
  return { name, url, child, perSecond: [], cpuUs: [] };
}

function measure({ url, child, perSecond, cpuUs }: Contender): void {
  const before = cpuSeconds(child.pid);
  const load = [process.execPath, join(import.meta.dir, "load.ts"), url, String(CONNECTIONS), String(SECONDS)];
  const { answers, refused } = JSON.parse(Bun.spawnSync(load).stdout.toString()) as Record<string, number>;
  if (answers === undefined || refused !== 0) throw new Error(`${url} refused ${refused} requests`);
  perSecond.push(answers / SECONDS);
  cpuUs.push(((cpuSeconds(child.pid) - before) * 1e6) / answers);
}

/** User and system time of a process; Linux counts it in ticks of 10 ms. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
