import { readdirSync, rmSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { CephRgw } from "../services/ceph-rgw.ts";
import { Destination } from "./destination.ts";
import { FaultProxy } from "./fault-proxy.ts";
import { createMirror, type Mirror, type ProgramResult, requireOk, Violation } from "./mirror.ts";
import { SeededRandom } from "./seeded-random.ts";

export interface RaceReport {
  readonly seed: number;
  readonly races: number;
  /** Races in which the first held the lease until the other one had asked for it. */
  readonly held: number;
  /** Races that somebody lost at first: at least those. */
  readonly contested: number;
  /** How often a run was refused, by code. */
  readonly refusedBy: Readonly<Record<string, number>>;
  readonly runs: number;
}

export interface RaceOptions {
  readonly server: CephRgw;
  readonly seed: number;
  readonly races: number;
}

const FOLDERS = ["assets", "models"] as const;
const TRIES_MAX = 20;
/** A writer that comes later than this has not come at all. */
const HOLD_MS_MAX = 30_000;
const REFUSALS: ReadonlySet<string> = new Set(["run_in_progress", "manifest_conflict"]);

interface Writer {
  readonly mirror: Mirror;
  /** The part of the snapshot that is its own. */
  readonly folder: (typeof FOLDERS)[number];
}

/**
 * Two workspaces that write their parts of one snapshot at the same time, over and over. Whoever is refused is told so
 * in the contract's words, tries again, and at last both parts are in the manifest and in the store.
 * @throws Violation
 */
export async function raceWriters({ server, seed, races }: RaceOptions): Promise<RaceReport> {
  return await withWriters(server, async (writers, proxy, bucket) => {
    const random = new SeededRandom(seed);
    const report = { seed, races, held: 0, contested: 0, refusedBy: {} as Record<string, number>, runs: 0 };
    for (let race = 0; race < races; race++) {
      const refusals: string[] = [];
      const holds = random.chance(0.5);
      Object.assign(proxy, racePacing(random.fork(), holds));
      if (holds) report.held++;
      const runs = await Promise.all(
        writers.map(async (writer) => {
          change(writer, random);
          await Bun.sleep(random.integer(0, 250));
          return await runUntilOk(writer, (code) => refusals.push(code));
        }),
      );
      report.runs += runs.reduce((sum, count) => sum + count, 0);
      if (refusals.length > 0) report.contested++;
      else if (holds) throw new Violation(`seed ${seed}, race ${race}: two writers held the lease at once`);
      for (const code of refusals) report.refusedBy[code] = (report.refusedBy[code] ?? 0) + 1;
      await requireBothParts(server, writers, bucket).catch((error: unknown) => {
        throw error instanceof Violation ? new Violation(`seed ${seed}, race ${race}: ${error.message}`) : error;
      });
    }
    return report;
  });
}

/**
 * A writer that is killed while it holds the lease keeps the other one out, who is told whom to wait for; once the
 * lease has run out the other one takes over, and the first one's own files get there by its next run.
 * @throws Violation
 */
export async function crashLeaseHolder(server: CephRgw, seed: number): Promise<void> {
  await withWriters(server, async ([dead, other], proxy, bucket) => {
    const random = new SeededRandom(seed);
    for (const writer of [dead, other]) change(writer, random);
    const program = dead.mirror.start(dead.folder);
    proxy.onProgress = ({ request }) => {
      if (request.class === "small_put") program.kill();
    };
    const killed = await program.ended;
    proxy.onProgress = () => undefined;
    if (killed.status !== null) throw new Violation(`the writer ended with ${killed.status} before it could be killed`);

    const refused = await other.mirror.start(other.folder).ended;
    const { code, status, holder = "", since = "" } = refused.answer;
    if (refused.status !== 1 || code !== "run_in_progress" || status !== 409 || holder === "" || since === "")
      throw new Violation(
        `a held snapshot was not refused as such: ${refused.status} ${JSON.stringify(refused.answer)}`,
      );

    await ageLease(server, dead.mirror, bucket);
    requireOk(await other.mirror.start(other.folder).ended);
    requireOk(await dead.mirror.start(dead.folder).ended);
    await requireBothParts(server, [dead, other], bucket);
  });
}

/**
 * Delays around the protocol's own objects, which widen the windows that races are lost in. With `holds` no file is
 * sent before the store has answered both writers about the lease: one of them asks by a look, a write and a probe. That
 * the other's look has only set out would not do, as it may be slower than all the rest of the first one's run.
 */
function racePacing(random: SeededRandom, holds: boolean): Pick<FaultProxy, "pace" | "onAnswered"> {
  let answers = 0;
  const bothAnswered = Promise.withResolvers<void>();
  return {
    pace: async ({ class: requestClass }) => {
      if (holds && requestClass === "small_put") await Promise.race([bothAnswered.promise, Bun.sleep(HOLD_MS_MAX)]);
      if (requestClass.startsWith("control") || random.chance(0.1)) await Bun.sleep(random.integer(0, 60));
    },
    onAnswered: ({ class: requestClass, key }) => {
      const asks = requestClass === "control_get" || requestClass === "control_put";
      if (asks && key.endsWith(".lease.json") && ++answers === 4) bothAnswered.resolve();
    },
  };
}

async function withWriters<T>(
  server: CephRgw,
  use: (writers: readonly [Writer, Writer], proxy: FaultProxy, bucket: string) => Promise<T>,
): Promise<T> {
  const proxy = new FaultProxy(server.endpoint);
  await proxy.start();
  const bucket = await server.createBucket();
  const [first, second] = [
    await createMirror({ server, bucket, endpoint: proxy.endpoint }),
    await createMirror({ server, bucket, endpoint: proxy.endpoint }),
  ];
  try {
    const writers = [
      { mirror: first, folder: FOLDERS[0] },
      { mirror: second, folder: FOLDERS[1] },
    ] as const;
    return await use(writers, proxy, bucket);
  } finally {
    await proxy.close();
    await server.removeBucket(bucket);
    first.remove();
    second.remove();
  }
}

/** A few new, changed and removed files in the writer's own part. */
function change({ mirror, folder }: Writer, random: SeededRandom): void {
  for (let n = random.integer(2, 4); n > 0; n--)
    mirror.write(`${folder}/${random.integer(0, 15)}`, random.bytes(random.integer(0, 30_000)));
  const path = join(mirror.root, folder, String(random.integer(0, 15)));
  if (random.chance(0.5) && filesOf(mirror, folder).size > 5) rmSync(path, { force: true });
}

/** Runs until it is not refused any more. @returns how many runs that took */
async function runUntilOk({ mirror, folder }: Writer, onRefused: (code: string) => void): Promise<number> {
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const result = await mirror.start(folder).ended;
    if (!isRefusal(result)) {
      requireOk(result);
      return tries;
    }
    onRefused(result.answer.code ?? "");
  }
  throw new Violation(`a writer was refused ${TRIES_MAX} times in a row`);
}

function isRefusal({ status, answer }: ProgramResult): boolean {
  return status === 1 && REFUSALS.has(answer.code ?? "");
}

/** @throws Violation unless the manifest holds exactly the files of both parts, and the store exactly their bytes */
async function requireBothParts(server: CephRgw, writers: readonly Writer[], bucket: string): Promise<void> {
  const [first] = writers;
  if (first === undefined) return;
  const destination = new Destination(server, { ...first.mirror, bucket });
  const published = await destination.published();
  const named = [...(published ?? [])].map(([path, { sha256 }]) => `${path} ${sha256}`).toSorted();
  const wanted = writers.flatMap(({ mirror, folder }) => [...filesOf(mirror, folder)]).toSorted();
  if (named.join("\n") !== wanted.join("\n")) {
    const lost = wanted.filter((each) => !named.includes(each));
    const extra = named.filter((each) => !wanted.includes(each));
    throw new Violation(`an update is lost: ${lost.join(", ")} not published; ${extra.join(", ")} published instead`);
  }
  await destination.requirePublishedTrue();
}

/** `path sha256` of each file of a part. */
function filesOf(mirror: Mirror, folder: string): Set<string> {
  const files = new Set<string>();
  for (const name of readdirSync(join(mirror.root, folder))) {
    const bytes = readFileSync(join(mirror.root, folder, name));
    files.add(`${folder}/${name} ${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`);
  }
  return files;
}

/** Rewrites the lease as if its holder had been silent for all its time: what the store looks like two minutes later. */
async function ageLease(server: CephRgw, mirror: Mirror, bucket: string): Promise<void> {
  const bytes = await new Destination(server, mirror).read(mirror.leaseKey);
  if (bytes === undefined) throw new Violation("a writer that was killed in the middle has left no lease");
  const lease = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, number>;
  const { started_at_ms = 0, renewed_at_ms = 0, ttl_ms = 0 } = lease;
  const aged = { ...lease, started_at_ms: started_at_ms - ttl_ms, renewed_at_ms: renewed_at_ms - ttl_ms };
  const Body = new TextEncoder().encode(JSON.stringify(aged));
  await server.client.send(new PutObjectCommand({ Bucket: bucket, Key: mirror.leaseKey, Body }));
}
