import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { App } from "../../src/app.ts";
import { SyncError } from "../../src/core/errors.ts";
import type { OpenProvider } from "../../src/providers/contract.ts";
import { S3_LIMITS, type S3Limits } from "../../src/providers/s3/limits.ts";
import { openS3Provider } from "../../src/providers/s3/s3-provider.ts";
import { readS3Settings } from "../../src/providers/s3/settings.ts";
import type { CephRgw } from "../services/ceph-rgw.ts";
import { Destination } from "./destination.ts";
import { FaultProxy } from "./fault-proxy.ts";
import { faultKind, faultName, FaultScript } from "./fault-script.ts";
import { createMirror, type Mirror, Violation } from "./mirror.ts";
import { randomFaults, type RequestCounts } from "./random-faults.ts";
import { SeededRandom } from "./seeded-random.ts";

export interface FaultReport {
  readonly schedules: number;
  /** How many faults fired, by kind. */
  readonly firedBy: Readonly<Record<string, number>>;
  readonly bytesSent: number;
  readonly bytesSentAgain: number;
}

export interface FaultOptions {
  readonly server: CephRgw;
  readonly seed: number;
  readonly schedules: number;
  /** Called before each schedule with the faults it will meet. */
  readonly onSchedule?: (seed: number, faults: readonly string[]) => void;
}

const MIB = 1024 * 1024;
/** A store that is silent for so long is given up: a stall costs this and not a minute. */
const PATIENCE_MS = 2_500;
const LIMITS: S3Limits = {
  ...S3_LIMITS,
  singlePutBytesMax: 5 * MIB,
  partBytesMin: 5 * MIB,
  idleMs: PATIENCE_MS,
  workMs: PATIENCE_MS,
  uploadBytesPerSecondMin: 16 * MIB,
  abortMs: 1_000,
};
const LARGE_BYTES = 11 * MIB;
const SMALL_FILES = 40;
const FOLDERS = ["assets", "models"];
const FAULTS_MIN = 5;
const FAULTS_MAX = 9;

/** What the three runs of a scenario ask of the store at least. A file of LARGE_BYTES makes three parts. */
const COUNTS: RequestCounts = {
  small_put: 45,
  part_put: 6,
  begin_multipart: 2,
  complete_multipart: 2,
  copy: 1,
  list: 1,
  control_get: 6,
  control_put: 12,
  head: 6,
  delete_batch: 5,
};

/**
 * Mirrors a tree through a proxy that fails as `seed` decides: a run that is cancelled half-way, the run that takes it
 * up, and one after changes. Every fault is one that passes, so both last runs end ok by themselves.
 * @throws Violation
 */
export async function runFaultSchedules({ server, seed, schedules, onSchedule }: FaultOptions): Promise<FaultReport> {
  const random = new SeededRandom(seed);
  const firedBy: Record<string, number> = {};
  let bytesSent = 0;
  let bytesSentAgain = 0;
  for (let n = 0; n < schedules; n++) {
    const own = random.fork();
    const faults = randomFaults(own, own.integer(FAULTS_MIN, FAULTS_MAX), COUNTS, {
      delayMsMax: PATIENCE_MS / 3,
      refuseMsMax: 2_000,
    });
    onSchedule?.(own.seed, faults.map(faultName));
    const script = new FaultScript(faults);
    const sent = await new Scenario(server, own, script).run();
    bytesSent += sent.bytes;
    bytesSentAgain += sent.bytesAgain;
    for (const { fault } of script.fired) firedBy[faultKind(fault)] = (firedBy[faultKind(fault)] ?? 0) + 1;
  }
  return { schedules, firedBy, bytesSent, bytesSentAgain };
}

class Scenario {
  readonly #proxy: FaultProxy;

  constructor(
    private readonly server: CephRgw,
    private readonly random: SeededRandom,
    private readonly script: FaultScript,
  ) {
    this.#proxy = new FaultProxy(server.endpoint);
  }

  async run() {
    const names = [...this.script.left].map(faultName);
    await this.#proxy.start();
    const bucket = await this.server.createBucket();
    const mirror = await createMirror({ server: this.server, bucket, endpoint: this.#proxy.endpoint });
    const app = await mirror.openApp({ loadProvider: async () => impatientProvider });
    try {
      await this.#mirrorThrice(mirror, app);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      throw new Violation(`seed ${this.random.seed} (${names.join("; ")}): ${error.message}`, { cause: error });
    } finally {
      app.close();
      await this.#proxy.close();
      await this.server.removeBucket(bucket);
      mirror.remove();
    }
    return this.#proxy.sent.summary();
  }

  async #mirrorThrice(mirror: Mirror, app: App): Promise<void> {
    const destination = new Destination(this.server, mirror);
    this.#proxy.script = this.script;
    for (let n = 0; n < SMALL_FILES; n++)
      mirror.write(`assets/${n}`, this.random.bytes(this.random.integer(0, 20_000)));
    mirror.write("models/large", this.random.bytes(LARGE_BYTES));
    await this.#runAndCancel(app);
    await destination.requireNothingMissing();
    await runToEnd(app);
    await destination.requireNothingMissing();

    for (let n = 0; n < 5; n++) mirror.write(`assets/new ${n}`, this.random.bytes(this.random.integer(1, 20_000)));
    for (let n = 5; n < 8; n++) mirror.write(`assets/${n}`, this.random.bytes(this.random.integer(1, 20_000)));
    for (let n = 10; n < 14; n++) rmSync(join(mirror.root, `assets/${n}`));
    mkdirSync(join(mirror.root, "assets/moved"));
    mirror.write("assets/20", this.random.bytes(500));
    await runToEnd(app);
    renameSync(join(mirror.root, "assets/20"), join(mirror.root, "assets/moved/20"));
    mirror.write("models/another", this.random.bytes(LARGE_BYTES));
    await runToEnd(app);

    if (this.script.left.length > 0)
      throw new Violation(`scripted, but never met: ${this.script.left.map(faultName).join("; ")}`);
    await destination.requireNothingMissing();
    await destination.requirePublishedTrue();
    await destination.requireEqual(FOLDERS);
  }

  /** A run that is cut off when its first files have arrived: it leaves a marker, and the next run looks at what is there. */
  async #runAndCancel(app: App): Promise<void> {
    const controller = new AbortController();
    let puts = 0;
    this.#proxy.pace = async (request) => {
      if (request.class === "small_put" && ++puts === 10) controller.abort();
    };
    const ended = await app.run({ service: "s3", paths: FOLDERS }, controller.signal).then(
      () => "ok",
      (error: unknown) => (error instanceof SyncError ? error.code : String(error)),
    );
    this.#proxy.pace = async () => undefined;
    if (ended !== "aborted") throw new Violation(`a cancelled run ended with: ${ended}`);
  }
}

/** The real provider, as it is but for its patience and the size of its parts. */
const impatientProvider: OpenProvider = async (settings, context) =>
  openS3Provider(readS3Settings(settings), context, { limits: LIMITS });

async function runToEnd(app: App): Promise<void> {
  const ended = await app.run({ service: "s3", paths: FOLDERS, confirm_deletes: true }).catch((error: unknown) => {
    const said = error instanceof SyncError ? `${error.code}: ${error.message}` : String(error);
    throw new Violation(`a run that meets only passing faults failed with ${said}`, { cause: error });
  });
  const { status, errors } = ended.summary;
  if (status !== "ok")
    throw new Violation(`a run that meets only passing faults ended ${status}: ${JSON.stringify(errors)}`);
}
