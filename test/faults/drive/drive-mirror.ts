import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { App, type RunResult } from "../../../src/app.ts";
import { SyncError } from "../../../src/core/errors.ts";
import { bunPlatform } from "../../../src/platform/bun/bun-platform.ts";
import type { OpenProvider } from "../../../src/providers/contract.ts";
import { openDriveProvider } from "../../../src/providers/gdrive/drive-provider.ts";
import { DRIVE_LIMITS, type DriveLimits } from "../../../src/providers/gdrive/limits.ts";
import { readDriveSettings } from "../../../src/providers/gdrive/settings.ts";
import { DriveFake } from "../../fakes/drive/drive-fake.ts";
import { DriveDestination } from "./drive-destination.ts";

const KIB = 1024;
const PASSPHRASE = "drive faults";
/** The product's limits scaled down: several chunks in a small file, and little patience with what hangs. */
const LIMITS: DriveLimits = {
  ...DRIVE_LIMITS,
  multipartBytesMax: 200 * KIB,
  chunkBytesMin: 256 * KIB,
  idleMs: 1_000,
  uploadBytesPerSecondMin: 1024 * KIB,
  abortMs: 1_000,
};
export const FOLDERS = ["assets", "models"];

/** How a run ended: its result, or the code and message that it threw. */
export type RunEnd = { readonly result: RunResult } | { readonly code: string; readonly message: string };

/** A workspace in a temporary folder that is mirrored to a Drive fake of its own. */
export class DriveMirror {
  readonly destination: DriveDestination;
  /** Everything that was told to anybody: results, errors, complaints. */
  readonly #told: string[] = [];

  private constructor(
    readonly fake: DriveFake,
    readonly root: string,
    private readonly app: App,
  ) {
    this.destination = new DriveDestination(fake, fake.drive.id);
  }

  /** @param fake one that another mirror has made, to share its Drive */
  static async create(files: Readonly<Record<string, string | Uint8Array>>, shared?: DriveFake): Promise<DriveMirror> {
    const fake = shared ?? (await DriveFake.start());
    const root = mkdtempSync(join(tmpdir(), "comfyvn-drive-"));
    const loadDrive: OpenProvider = async (settings, context) =>
      openDriveProvider(readDriveSettings(settings), { ...context, testDriveUrl: fake.url }, LIMITS);
    const told: string[] = [];
    mkdirSync(join(root, "config"));
    const features = { enable_cloud_sync: true, enable_cloud_sync_gdrive: true };
    writeFileSync(join(root, "config/comfyvn.json"), JSON.stringify({ features }));
    const app = await App.open({
      platform: bunPlatform(),
      root,
      passphrase: () => PASSPHRASE,
      complain: (line) => told.push(line),
      loadProvider: async () => loadDrive,
    });
    const gdrive = { parent_id: fake.drive.id, scopes: "drive", credentials: fake.account.file };
    await app.vault.create({ cloud_sync: { gdrive } }, PASSPHRASE);
    const mirror = new DriveMirror(fake, root, app);
    mirror.#told.push(...told);
    for (const [path, content] of Object.entries(files)) mirror.write(path, content);
    return mirror;
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }

  move(from: string, to: string): void {
    mkdirSync(dirname(join(this.root, to)), { recursive: true });
    renameSync(join(this.root, from), join(this.root, to));
  }

  remove(path: string): void {
    rmSync(join(this.root, path));
  }

  async run(): Promise<RunEnd> {
    try {
      const result = await this.app.run({ service: "gdrive", paths: FOLDERS, confirm_deletes: true });
      this.#told.push(JSON.stringify(result));
      return { result };
    } catch (error) {
      this.#told.push(String(error), error instanceof Error ? String(error.stack) : "");
      if (error instanceof SyncError) return { code: error.code, message: error.message };
      throw error;
    }
  }

  /** Files that a dry run would upload and delete. */
  async planned(): Promise<readonly [uploads: number, deletes: number]> {
    const { plan } = await this.app.dryRun({ service: "gdrive", paths: FOLDERS });
    return [plan.files_to_upload, plan.files_to_delete];
  }

  /** Everything told so far, and the server's log. */
  get told(): string {
    return [...this.#told, readFileSync(join(this.root, "logs/server.log"), "utf8")].join("\n");
  }

  async end(): Promise<void> {
    this.app.close();
    await this.fake.stop();
    rmSync(this.root, { recursive: true, force: true });
  }
}
