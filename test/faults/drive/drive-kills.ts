import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { App } from "../../../src/app.ts";
import { bunPlatform } from "../../../src/platform/bun/bun-platform.ts";
import { DRIVE_LIMITS } from "../../../src/providers/gdrive/limits.ts";
import { DriveFake } from "../../fakes/drive/drive-fake.ts";
import { type ProgramResult, requireOk, type RunningProgram, startProgram, Violation } from "../mirror.ts";
import { SeededRandom } from "../seeded-random.ts";
import { DriveDestination } from "./drive-destination.ts";

export interface DriveKillReport {
  readonly seed: number;
  readonly rounds: number;
  readonly kills: number;
  /** Kills by what chose their moment. */
  readonly killsBy: Readonly<Record<KillMoment["by"], number>>;
  /** Runs that ended before their moment came. */
  readonly escaped: number;
  /** Content of large files: what there was to send, and what was sent. */
  readonly largeBytes: number;
  readonly largeBytesSent: number;
  /** Most bytes of a large file that one kill cost. */
  readonly bytesAgainAKillMax: number;
  readonly sessions: number;
}

export interface DriveKillOptions {
  readonly seed: number;
  readonly kills: number;
  readonly largeBytes?: number;
  /** How far Drive's search is behind: 0 when absent. */
  readonly indexLagMs?: number;
}

interface KillMoment {
  readonly by: "time" | "request" | "byte";
  readonly at: number;
}

const MB = 1_000_000;
const PASSPHRASE = "drive kills";
const FOLDERS = ["assets", "models"];
const SMALL_FILES = 12;
/** Loopback takes a whole chunk in at once; a slower line is cut in the middle of one. */
const LINE_BYTES_PER_S = 25 * MB;
const KILLS_A_ROUND_MAX = 4;
/** A run that nothing hinders takes about so long, and so many requests. */
const EXPECTED = { ms: 1_500, requests: 45 };

/**
 * Runs the real program over a workspace with a large file that is new each round, and kills it at moments that `seed`
 * decides. After each kill the published manifest names nothing that is missing and no path has two files; after a few of them one run ends
 * ok, both sides are equal, and no kill has cost more of the large file than a chunk.
 * @throws Violation
 */
export async function killDriveRuns({
  seed,
  kills,
  largeBytes = 40 * MB,
  indexLagMs = 0,
}: DriveKillOptions): Promise<DriveKillReport> {
  const fake = await DriveFake.start();
  fake.store.indexLagMs = indexLagMs;
  const folder = mkdtempSync(join(tmpdir(), "comfyvn-drive-kills-"));
  try {
    return await new DriveKills(fake, folder, new SeededRandom(seed), largeBytes).run(kills);
  } catch (error) {
    throw error instanceof Violation ? new Violation(`seed ${seed}: ${error.message}`, { cause: error }) : error;
  } finally {
    await fake.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

class DriveKills {
  readonly #root: string;
  readonly #destination: DriveDestination;
  readonly #killsBy = { time: 0, request: 0, byte: 0 };
  #escaped = 0;
  #largeBytes = 0;
  #largeBytesSent = 0;
  #bytesAgainAKillMax = 0;
  #sessions = 0;

  constructor(
    private readonly fake: DriveFake,
    private readonly folder: string,
    private readonly random: SeededRandom,
    private readonly largeBytesMax: number,
  ) {
    this.#root = join(folder, "workspace");
    this.#destination = new DriveDestination(fake, fake.drive.id);
  }

  get #kills(): number {
    return this.#killsBy.time + this.#killsBy.request + this.#killsBy.byte;
  }

  async run(kills: number): Promise<DriveKillReport> {
    await this.#prepare();
    let rounds = 0;
    for (; this.#kills < kills; rounds++) await this.#round(rounds, kills);
    this.fake.assertNothingRefused();
    return {
      seed: this.random.seed,
      rounds,
      kills: this.#kills,
      killsBy: this.#killsBy,
      escaped: this.#escaped,
      largeBytes: this.#largeBytes,
      largeBytesSent: this.#largeBytesSent,
      bytesAgainAKillMax: this.#bytesAgainAKillMax,
      sessions: this.#sessions,
    };
  }

  async #prepare(): Promise<void> {
    mkdirSync(join(this.folder, "home"));
    const features = { enable_cloud_sync: true, enable_cloud_sync_gdrive: true };
    this.#write(
      "config/comfyvn.json",
      JSON.stringify({ features, sync: { bandwidth_limit_bytes_per_s: LINE_BYTES_PER_S } }),
    );
    const app = await App.open({
      platform: bunPlatform(),
      root: this.#root,
      passphrase: () => PASSPHRASE,
      complain: () => undefined,
    });
    const gdrive = { parent_id: this.fake.drive.id, scopes: "drive", credentials: this.fake.account.file };
    await app.vault.create({ cloud_sync: { gdrive } }, PASSPHRASE);
    app.close();
  }

  /** A few kills over the same tree, then a run to the end and every check. */
  async #round(round: number, killsMax: number): Promise<void> {
    const { random, fake } = this;
    const large = random.integer(this.largeBytesMax * 0.6, this.largeBytesMax);
    // New in one round, overwritten in another.
    this.#write(`models/large ${random.integer(0, 2)}.bin`, random.bytes(large));
    for (let n = 0; n < SMALL_FILES; n++)
      this.#write(`assets/${random.integer(0, 40)} it's.txt`, random.bytes(random.integer(0, 30_000)));
    fake.log.clear();
    const killsBefore = this.#kills;
    for (let left = random.integer(1, KILLS_A_ROUND_MAX); left > 0 && this.#kills < killsMax; left--) {
      await this.#killOnce(large);
      this.#destination.requireNoDuplicates();
      this.#destination.requireNothingMissing();
    }
    requireOk(await this.#start().ended);
    this.#destination.requireNoDuplicates();
    this.#destination.requirePublishedTrue();
    this.#destination.requireEqual(this.#root, FOLDERS);
    // A claim that a killed run has left is removed by the next one that finds it, which takes the search.
    if (this.fake.store.indexLagMs === 0) this.#destination.requireNothingElse();
    this.#count(round, large, this.#kills - killsBefore);
  }

  /** @throws Violation when the kills of a round cost more than a chunk each */
  #count(round: number, large: number, kills: number): void {
    const chunks = this.fake.log.requests.filter(({ route }) => route === "upload.chunk");
    const sent = chunks.reduce((sum, { contentBytesIn }) => sum + contentBytesIn, 0);
    this.#largeBytes += large;
    this.#largeBytesSent += sent;
    this.#sessions += this.fake.log.requests.filter(({ route }) => route.endsWith(".resumable")).length;
    const again = kills === 0 ? 0 : (sent - large) / kills;
    this.#bytesAgainAKillMax = Math.max(this.#bytesAgainAKillMax, Math.round(again));
    if (sent - large > kills * DRIVE_LIMITS.chunkBytesMin)
      throw new Violation(`round ${round}: ${kills} kills cost ${sent - large} bytes of ${large}`);
  }

  async #killOnce(large: number): Promise<void> {
    const { random, fake } = this;
    const by = random.pick(["time", "request", "byte", "byte"] as const);
    const at = random.next() * { time: EXPECTED.ms, request: EXPECTED.requests, byte: large }[by];
    const requestsBefore = fake.log.requests.length;
    let bytes = 0;
    const program = this.#start();
    const timer = by === "time" ? setTimeout(() => program.kill(), at) : undefined;
    fake.onRequest = () => {
      if (by === "request" && fake.log.requests.length - requestsBefore > at) program.kill();
    };
    fake.onPiece = (_request, pieceBytes) => {
      bytes += pieceBytes;
      if (by === "byte" && bytes > at) program.kill();
    };
    try {
      this.#ended(by, await program.ended);
    } finally {
      clearTimeout(timer);
      fake.onRequest = () => undefined;
      fake.onPiece = () => undefined;
    }
  }

  #ended(by: KillMoment["by"], result: ProgramResult): void {
    if (result.status === null) {
      this.#killsBy[by]++;
      return;
    }
    this.#escaped++;
    requireOk(result);
  }

  #start(): RunningProgram {
    const env = {
      PATH: "/usr/bin:/bin",
      HOME: join(this.folder, "home"),
      TMPDIR: this.folder,
      COMFYVN_SECRETS_KEY: PASSPHRASE,
      COMFYVN_TEST_DRIVE_URL: this.fake.url,
    };
    return startProgram(["run", "--service", "gdrive", "--json", "--confirm-deletes", ...FOLDERS], this.#root, env);
  }

  #write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.#root, path)), { recursive: true });
    writeFileSync(join(this.#root, path), content);
  }
}
