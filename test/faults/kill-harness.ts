import type { CephRgw } from "../services/ceph-rgw.ts";
import { Destination } from "./destination.ts";
import { FaultProxy } from "./fault-proxy.ts";
import { createMirror, type Mirror, type ProgramResult, requireOk, Violation } from "./mirror.ts";
import { RandomTree, TREE_FOLDERS, type TreeSizes } from "./random-tree.ts";
import { SeededRandom } from "./seeded-random.ts";
import type { SentSummary } from "./sent-content.ts";

export interface KillReport {
  readonly seed: number;
  readonly rounds: number;
  readonly kills: number;
  /** Kills by what chose their moment. */
  readonly killsBy: Readonly<Record<KillMoment["by"], number>>;
  /** Runs that ended before their moment came. */
  readonly escaped: number;
  readonly bytesSent: number;
  /** Of those, bytes that the store had been sent before. */
  readonly bytesSentAgain: number;
  readonly acknowledgedObjectsAgain: number;
  readonly acknowledgedPartsAgain: number;
}

export interface KillOptions {
  readonly server: CephRgw;
  readonly seed: number;
  readonly kills: number;
  readonly sizes?: TreeSizes;
}

const MB = 1_000_000;
const SIZES: TreeSizes = {
  smallFiles: 60,
  smallBytesMax: 60_000,
  largeFilesMax: 2,
  largeBytesMin: 18 * MB,
  largeBytesMax: 40 * MB,
};
/** Small files that a run has under way at once. */
const CONCURRENCY = 30;
/** With the large ones: so many may have arrived without a line in its journal. */
const FILES_IN_FLIGHT_MAX = CONCURRENCY + 2;

interface KillMoment {
  readonly by: "time" | "request" | "byte";
  /** Milliseconds, or how many from the start of the run. */
  readonly at: number;
}

/** What a run is expected to take, which moments are chosen within. */
interface Expected {
  ms: number;
  requests: number;
  bytes: number;
}

/**
 * Runs the real program over a tree that changes, and kills it at moments that `seed` decides. After each kill the
 * published manifest names nothing that is missing; after each series of kills one run ends ok, a foreign client finds
 * both sides equal, and what had arrived was not sent again.
 * @throws Violation
 */
export async function killRuns({ server, seed, kills, sizes = SIZES }: KillOptions): Promise<KillReport> {
  const random = new SeededRandom(seed);
  const proxy = new FaultProxy(server.endpoint);
  await proxy.start();
  const bucket = await server.createBucket();
  const mirror = await createMirror({ server, bucket, endpoint: proxy.endpoint, concurrency: CONCURRENCY });
  try {
    return await new KillHarness(proxy, mirror, new Destination(server, mirror), random, sizes).run(kills);
  } catch (error) {
    throw error instanceof Violation ? new Violation(`seed ${seed}: ${error.message}`, { cause: error }) : error;
  } finally {
    await proxy.close();
    await server.removeBucket(bucket);
    mirror.remove();
  }
}

class KillHarness {
  readonly #tree: RandomTree;
  readonly #expected: Expected = { ms: 1_500, requests: 80, bytes: 2 * MB };
  readonly #killsBy = { time: 0, request: 0, byte: 0 };
  readonly #sent: SentSummary[] = [];
  #escaped = 0;

  constructor(
    private readonly proxy: FaultProxy,
    private readonly mirror: Mirror,
    private readonly destination: Destination,
    private readonly random: SeededRandom,
    sizes: TreeSizes,
  ) {
    this.#tree = new RandomTree(mirror, sizes, random);
  }

  get #kills(): number {
    return this.#killsBy.time + this.#killsBy.request + this.#killsBy.byte;
  }

  async run(kills: number): Promise<KillReport> {
    let rounds = 0;
    for (; this.#kills < kills; rounds++) await this.#round(kills);
    const sum = (name: keyof SentSummary) => this.#sent.reduce((total, each) => total + each[name], 0);
    return {
      seed: this.random.seed,
      rounds,
      kills: this.#kills,
      killsBy: this.#killsBy,
      escaped: this.#escaped,
      bytesSent: sum("bytes"),
      bytesSentAgain: sum("bytesAgain"),
      acknowledgedObjectsAgain: sum("acknowledgedObjectsAgain"),
      acknowledgedPartsAgain: sum("acknowledgedPartsAgain"),
    };
  }

  /** A few kills, then a run to the end and every check. */
  async #round(killsMax: number): Promise<void> {
    const killsBefore = this.#kills;
    this.proxy.sent.clear();
    for (let left = this.random.integer(1, 3); left > 0 && this.#kills < killsMax; left--) {
      // Not always: an interrupted run is also taken up on the very same tree.
      if (left === 1 || this.random.chance(0.5)) this.#change();
      await this.#killOnce();
      await this.destination.requireNothingMissing();
    }
    // What was cut off may be followed by a run that looks at a part of it only.
    if (this.random.chance(0.3)) {
      requireOk(await this.mirror.start(this.random.pick(TREE_FOLDERS)).ended);
      await this.destination.requireNothingMissing();
    }
    const startedMs = performance.now();
    const requestsBefore = this.proxy.requests;
    requireOk(await this.mirror.start(...TREE_FOLDERS).ended);
    this.#expected.ms = (this.#expected.ms + performance.now() - startedMs) / 2;
    this.#expected.requests = Math.max(20, (this.#expected.requests + this.proxy.requests - requestsBefore) / 2);
    await this.destination.requireNothingMissing();
    await this.destination.requireEqual(TREE_FOLDERS);
    await this.destination.requireNoOpenUploads();
    requireLittleSentAgain(this.proxy.sent.summary(), this.#kills - killsBefore);
    this.#sent.push(this.proxy.sent.summary());
  }

  #change(): void {
    const { bytes } = this.#tree.change();
    this.#expected.bytes = Math.max(bytes, 100_000);
  }

  async #killOnce(): Promise<void> {
    const moment = this.#moment();
    const result = await this.#runUntil(moment);
    if (result.status === null) this.#killsBy[moment.by]++;
    else {
      this.#escaped++;
      requireOk(result);
    }
  }

  #moment(): KillMoment {
    const by = this.random.pick(["time", "request", "request", "byte"] as const);
    const most = { time: this.#expected.ms, request: this.#expected.requests, byte: this.#expected.bytes }[by];
    return { by, at: this.random.next() * most };
  }

  async #runUntil({ by, at }: KillMoment): Promise<ProgramResult> {
    const requestsBefore = this.proxy.requests;
    const bytesBefore = this.proxy.bytesUp;
    const folders = this.random.chance(0.7) ? TREE_FOLDERS : [this.random.pick(TREE_FOLDERS)];
    const program = this.mirror.start(...folders);
    const timer = by === "time" ? setTimeout(() => program.kill(), at) : undefined;
    this.proxy.onProgress = ({ requests, bytesUp }) => {
      if (by === "request" && requests - requestsBefore > at) program.kill();
      if (by === "byte" && bytesUp - bytesBefore > at) program.kill();
    };
    try {
      return await program.ended;
    } finally {
      clearTimeout(timer);
      this.proxy.onProgress = () => undefined;
    }
  }
}

/** @throws Violation when more was sent again than was about to be written down when the runs were killed */
function requireLittleSentAgain(sent: SentSummary, kills: number): void {
  const { acknowledgedObjectsAgain, acknowledgedPartsAgain } = sent;
  if (acknowledgedObjectsAgain > kills * FILES_IN_FLIGHT_MAX)
    throw new Violation(`${acknowledgedObjectsAgain} files that had arrived were sent again after ${kills} kills`);
  // The store lists its parts: not one that it has is sent again, whether its record was written or not.
  if (acknowledgedPartsAgain > 0)
    throw new Violation(`${acknowledgedPartsAgain} parts that had arrived were sent again after ${kills} kills`);
}
