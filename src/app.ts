/**
 * The composition root: the one file that knows every feature. Server and CLI call an App; the rooms below know nothing
 * of each other but their contracts.
 */
import type { CreateBackupRequest, RestoreBackupRequest } from "./api/backup-request.ts";
import type { DryRunRequest, RunRequest } from "./api/sync-request.ts";
import type { BackupCallOptions, BackupEngine, BackupProgress } from "./backup/backup-engine.ts";
import type { AppOptions, ManifestRequest, ManifestAnswer } from "./app/app-types.ts";
import { hookList } from "./app/hook-list.ts";
import { logFileOf } from "./app/log-file.ts";
import { checkApart } from "./app/check-apart.ts";
import { Destinations } from "./app/destinations.ts";
import { scopeFor } from "./app/scope-for.ts";
import { BACKUPS_FOLDER } from "./backup/backup-name.ts";
import { type CreatedBackup, createBackup } from "./backup/create-backup.ts";
import { type BackupList, listBackups } from "./backup/list-backups.ts";
import { type RestoredBackup, restoreBackup } from "./backup/restore-backup.ts";
import { type VerifiedBackup, verifyBackup } from "./backup/verify-backup.ts";
import { requireFlag, requireService } from "./config/flags.ts";
import { loadSettings, type Settings } from "./config/settings.ts";
import { readTestDriveUrl, TEST_DRIVE_URL } from "./config/test-drive-url.ts";
import { type Clock, systemClock } from "./core/clock.ts";
import { SyncError } from "./core/errors.ts";
import type { EventSink, ProductEvent } from "./core/events.ts";
import type { JsonObject } from "./core/json.ts";
import { workspaceFolder } from "./core/workspace-folder.ts";
import { Hooks } from "./hooks/hooks.ts";
import { Webhooks } from "./hooks/webhooks/webhooks.ts";
import { eventLine, failureLine } from "./logs/event-line.ts";
import { SecretValues } from "./logs/redact.ts";
import { openServerLog, type ServerLog } from "./logs/server-log.ts";
import { ThreadPool } from "./threads/thread-pool.ts";
import { type ForgetHashes, hashForgetter } from "./manifest/forget-hashes.ts";
import { createTreeHasher, type TreeHasher } from "./manifest/tree-hasher.ts";
import { openHashIndex } from "./manifest/hash-store.ts";
import { scanTree } from "./manifest/scan.ts";
import type { ScanProgress } from "./manifest/scan-progress.ts";
import { summariseManifest } from "./manifest/summary.ts";
import type { Platform } from "./platform/contract.ts";
import type { ConformanceResult } from "./providers/conformance/run-conformance.ts";
import { RETRY_POLICY_PLAN } from "./providers/retry.ts";
import { canPlanWithout, type DryRunResult, dryRun } from "./sync/dry-run.ts";
import type { Engine, SyncJob } from "./sync/engine.ts";
import type { LeaseHolder } from "./sync/lease.ts";
import { loadLeaseHolder } from "./sync/lease-holder.ts";
import { fileManifestCache } from "./sync/manifest-cache.ts";
import { type RunResult, runSync, tellNotBegun } from "./sync/run.ts";
import { checkServiceConfig } from "./sync/service-config.ts";
import { createTreeLayout } from "./sync/tree-layout.ts";
import { VAULT_FILE } from "./vault/envelope.ts";
import { fileVaultStorage } from "./vault/file-vault-storage.ts";
import { SecretsVault } from "./vault/secrets-vault.ts";

export type { BackupProgress, ConformanceResult, DryRunResult, RunResult };
export { BACKUPS_FOLDER };
export type { ScanProgress };
export type { AppOptions, ManifestRequest, ManifestAnswer };
export type { BackupList, CreatedBackup, RestoredBackup, VerifiedBackup };

/** Small objects are latency-bound; how many at once really pay is found out during the run. */
const CONCURRENCY_MAX_DEFAULT = 96;

/** One workspace, ready to serve. */
export class App {
  readonly root: string;
  readonly platform: Platform;
  readonly vault: SecretsVault;
  readonly log: ServerLog;
  readonly secrets: SecretValues;
  /** Everything that tools may hear of. */
  readonly hooks: Hooks;
  readonly webhooks: Webhooks;
  readonly #options: AppOptions;
  readonly #clock: Clock;
  readonly #events: EventSink;
  readonly #destinations: Destinations;
  readonly #threads: ThreadPool;
  readonly #hashTree: TreeHasher;
  readonly #forgetHashes: ForgetHashes;

  private constructor(options: AppOptions, log: ServerLog, secrets: SecretValues, testDriveUrl: string | undefined) {
    this.#options = options;
    this.platform = options.platform;
    this.root = options.root;
    this.log = log;
    this.secrets = secrets;
    this.#events = { emit: (event) => this.#emit(event) };
    this.#clock = options.clock ?? systemClock;
    this.hooks = new Hooks({
      now: () => this.#clock.now(),
      redact: (data) => secrets.redact(data),
      onError: (error) => log.write("error", "hooks.error", { error: String(error) }),
    });
    const { files, tree, newHasher, openDatabase, threads } = options.platform;
    const settings = async () => (await this.settings()).hooks;
    this.webhooks = new Webhooks({
      ...options.platform,
      root: options.root,
      clock: this.#clock,
      log,
      secrets,
      settings,
    });
    this.hooks.subscribe((item) => this.webhooks.publish(item));
    this.#threads = new ThreadPool(threads);
    const openIndex = openHashIndex({ files, tree, newHasher, openDatabase, root: options.root });
    this.#hashTree = createTreeHasher({ tree, newHasher, clock: this.#clock, pool: this.#threads, openIndex });
    this.#forgetHashes = hashForgetter(tree, options.root, openIndex);
    this.vault = new SecretsVault(fileVaultStorage(files, this.vaultFile), {
      events: this.#events,
    });
    this.#destinations = new Destinations({
      platform: options.platform,
      root: options.root,
      vault: this.vault,
      secrets,
      passphrase: () => this.passphrase(),
      holder: () => this.#holder(),
      testDriveUrl,
      loadProvider: options.loadProvider,
    });
  }

  /** @throws SyncError `root_missing` when the workspace is not a folder; `config_invalid` (test-drive-url.ts) */
  static async open(options: AppOptions): Promise<App> {
    const { files } = options.platform;
    const testDriveUrl = readTestDriveUrl(options.platform.env(TEST_DRIVE_URL));
    const root = await workspaceFolder(files, options.root);
    const secrets = new SecretValues();
    const log = openServerLog(await logFileOf(options.platform, root), secrets, options.complain);
    return new App({ ...options, root }, log, secrets, testDriveUrl);
  }

  close(): void {
    this.hooks.close();
    this.#threads.close();
    this.webhooks.close();
    this.log.close();
  }

  /** Read anew: a changed file counts from the next request. @throws SyncError `config_malformed`, `config_invalid` */
  settings(): Promise<Settings> {
    return loadSettings(this.platform.files, this.root);
  }

  /** Native path of the vault's file. */
  get vaultFile(): string {
    return this.platform.files.join(this.root, ...VAULT_FILE.split("/"));
  }

  /** True when the workspace has a vault file. */
  async hasVault(): Promise<boolean> {
    return (await this.platform.files.stat(this.vaultFile)) !== undefined;
  }

  /** True when there is a passphrase without asking anybody; whether it fits is known at the first use. */
  hasPassphrase(): boolean {
    return this.#options.passphrase() !== undefined;
  }

  /** The vault's passphrase, asked for only when there is a vault and somebody to ask. */
  async passphrase(): Promise<string | undefined> {
    const given = this.#options.passphrase();
    const { askPassphrase } = this.#options;
    return given !== undefined || askPassphrase === undefined || !(await this.hasVault())
      ? given
      : await askPassphrase();
  }

  /** What GET /api/modder/hooks tells; a server is not needed for it. */
  hookList(): ReturnType<typeof hookList> {
    return hookList(this.hooks, this.webhooks);
  }

  /** @throws SyncError `feature_disabled` */
  async requireSyncEnabled(): Promise<void> {
    requireFlag(await this.settings(), "enable_cloud_sync");
  }

  /** The manifest of the workspace as it is now. @throws SyncError `bad_snapshot`, `bad_path`, `bad_pattern`, `aborted` */
  async manifest(
    request: ManifestRequest,
    signal?: AbortSignal,
    onProgress?: (progress: ScanProgress) => void,
  ): Promise<ManifestAnswer> {
    const settings = await this.settings();
    const layout = createTreeLayout("", request.snapshot ?? "default");
    const scope = scopeFor(settings, request.include, request.exclude);
    const engine = this.#engine(settings);
    const { manifest, skipped } = await scanTree({
      tree: engine.tree,
      root: this.root,
      name: layout.snapshot,
      scope,
      hashTree: engine.hashTree,
      followSymlinks: request.followSymlinks,
      rehash: request.rehash,
      signal,
      onProgress,
    });
    const summary = await summariseManifest(manifest, scope, skipped, engine.newHasher, signal);
    return request.withEntries === true ? { ...summary, detail: [...manifest.entries.values()] } : summary;
  }

  /** @throws SyncError of the request, the flags, the vault; never of the destination, which is said in `summary.warnings` */
  dryRun(request: DryRunRequest, signal?: AbortSignal): Promise<DryRunResult> {
    return this.#orLogged("sync.dry_run", request.service, () => this.#dryRun(request, signal));
  }

  async #dryRun(request: DryRunRequest, signal: AbortSignal | undefined): Promise<DryRunResult> {
    const { settings, job, destination } = await this.#prepare(request, signal);
    const { service } = request;
    const provider = await this.#destinations
      .open(service, job.layout.snapshot, destination, settings, { patience: RETRY_POLICY_PLAN })
      .catch((error) => {
        if (error instanceof SyncError && canPlanWithout(error)) return error;
        throw error;
      });
    try {
      return await dryRun(this.#engine(settings), { ...job, provider });
    } finally {
      if (!(provider instanceof Error)) await provider.close();
    }
  }

  /** @throws SyncError of the request, the flags, the vault, and as runSync */
  async run(request: RunRequest, signal?: AbortSignal): Promise<RunResult> {
    const { settings, job, destination } = await this.#orLogged("sync.run", request.service, () =>
      this.#prepare(request, signal),
    );
    const strain: { listener?: () => void } = {};
    const onRetry = () => strain.listener?.();
    const engine = this.#engine(settings);
    const provider = await this.#destinations
      .open(request.service, job.layout.snapshot, destination, settings, { onRetry })
      .catch((error: unknown) => {
        tellNotBegun(engine, job, error);
        throw error;
      });
    try {
      return await runSync(engine, {
        ...job,
        provider,
        onStrain: (listener) => {
          strain.listener = listener;
        },
        confirmDeletes: request.confirm_deletes ?? false,
        commitManifest: request.commit_manifest ?? true,
      });
    } finally {
      await provider.close();
    }
  }

  /**
   * Holds the destination to the contract of providers, retries included as in a run. The objects it takes lie where
   * those of a snapshot would that nobody has, and are gone afterwards. Yields each case's result as it comes.
   * @throws SyncError of the flags, the vault, the provider; `aborted`
   */
  async *verifyDestination(
    request: Omit<DryRunRequest, "snapshot">,
    signal?: AbortSignal,
  ): AsyncGenerator<ConformanceResult, void, undefined> {
    // A hundred cases that nothing else needs.
    const { newConformancePrefix, runConformance } = await import("./providers/conformance/run-conformance.ts");
    const snapshot = newConformancePrefix().replace("/", "");
    const { settings, destination, job } = await this.#prepare({ ...request, snapshot }, signal);
    const secrets = new SecretValues();
    secrets.learn(destination);
    // One clear error for a destination that is not there, not one a case.
    const first = await this.#destinations.open(request.service, snapshot, destination, settings);
    await first.stat(`${job.layout.objectPrefix}probe`, signal === undefined ? {} : { signal });
    await first.close();
    yield* runConformance(() => this.#destinations.open(request.service, snapshot, destination, settings), {
      prefix: job.layout.objectPrefix,
      newHasher: this.platform.newHasher,
      secrets: secrets.values,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Archives files of the workspace. Excludes default to the settings'. @throws SyncError as createBackup, and of the settings */
  createBackup(request: CreateBackupRequest, options?: BackupCallOptions): Promise<CreatedBackup> {
    return this.#orLogged("backup.create", undefined, async () => {
      const { sync } = await this.settings();
      const exclude = request.exclude ?? sync.exclude;
      return await createBackup(this.#backupEngine(), { ...request, exclude }, options);
    });
  }

  /** @throws SyncError as restoreBackup */
  restoreBackup(request: RestoreBackupRequest, options?: BackupCallOptions): Promise<RestoredBackup> {
    const restore = () => restoreBackup(this.#backupEngine(), request, options);
    return this.#orLogged("backup.restore", undefined, restore);
  }

  /** The archives of the workspace, newest first. */
  listBackups(): Promise<BackupList> {
    return listBackups(this.#backupEngine());
  }

  /** @throws SyncError as verifyBackup */
  verifyBackup(name: string, options?: BackupCallOptions): Promise<VerifiedBackup> {
    return verifyBackup(this.#backupEngine(), name, options);
  }

  /** Everything that can be refused before a byte is read: flags, names, paths, patterns, protected settings, vault. */
  async #prepare(
    request: DryRunRequest,
    signal: AbortSignal | undefined,
  ): Promise<{ settings: Settings; job: SyncJob; destination: JsonObject }> {
    const settings = await this.settings();
    requireService(settings, request.service);
    const overrides = checkServiceConfig(request.service, request.service_config);
    const scope = scopeFor(settings, request.paths, request.exclude);
    createTreeLayout("", request.snapshot ?? "default");
    const destination = { ...(await this.#destinations.settingsOf(settings, request)), ...overrides };
    const prefix = destination["prefix"] ?? "";
    if (typeof prefix !== "string") throw new SyncError("provider_config", "the destination's prefix must be text");
    const layout = createTreeLayout(prefix, request.snapshot ?? "default");
    await checkApart(this.platform.files, this.root, request.service, destination, layout, scope);
    return {
      settings,
      destination,
      job: {
        service: request.service,
        layout,
        scope,
        pathsAsked: request.paths !== undefined,
        followSymlinks: request.follow_symlinks ?? false,
        rehash: request.rehash ?? false,
        ...(signal === undefined ? {} : { signal }),
      },
    };
  }

  #engine(settings: Settings): Engine {
    const { files, tree, newHasher } = this.platform;
    return {
      root: this.root,
      files,
      tree,
      newHasher,
      hashTree: this.#hashTree,
      forgetHashes: this.#forgetHashes,
      cache: fileManifestCache(files, this.root, newHasher),
      events: this.#events,
      clock: this.#clock,
      holder: () => this.#holder(),
      concurrencyMax: settings.sync.concurrency ?? CONCURRENCY_MAX_DEFAULT,
    };
  }

  #holder(): Promise<LeaseHolder> {
    return loadLeaseHolder(this.platform.files, this.root, this.platform.machineName(), this.platform.newHasher);
  }

  #backupEngine(): BackupEngine {
    const { platform, root } = this;
    const { files, tree, compression, newHasher } = platform;
    const openTreeWriter = (folder: string) => platform.openTreeWriter(folder);
    const reclaimMemory = () => platform.reclaimMemory();
    return {
      root,
      files,
      tree,
      openTreeWriter,
      compression,
      newHasher,
      reclaimMemory,
      pool: this.#threads,
      events: this.#events,
      clock: systemClock,
    };
  }

  /** What was refused or failed is in the log as well as what was done. @param provider undefined for backups */
  async #orLogged<T>(event: ProductEvent["type"], provider: string | undefined, work: () => Promise<T>): Promise<T> {
    const startedAtMs = this.#clock.now();
    try {
      return await work();
    } catch (error) {
      const { level, fields } = failureLine(error, provider, this.#clock.now() - startedAtMs);
      this.log.write(level, event, fields);
      throw error;
    }
  }

  #emit(event: ProductEvent): void {
    const line = eventLine(event);
    if (line !== undefined) this.log.write(line.level, event.type, line.fields);
    this.#options.listener?.emit(event);
    this.hooks.tell(event);
  }
}
