import type { DryRunRequest } from "../api/sync-request.ts";
import type { ServiceName } from "../config/flags.ts";
import type { Settings } from "../config/settings.ts";
import { systemClock } from "../core/clock.ts";
import { SyncError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { createPacer } from "../core/pacer.ts";
import type { SecretValues } from "../logs/redact.ts";
import type { Platform } from "../platform/contract.ts";
import type { OpenProvider, Provider, ProviderSettings } from "../providers/contract.ts";
import { loadProvider } from "../providers/registry.ts";
import { type RetryPolicy, withRetry } from "../providers/retry.ts";
import type { LeaseHolder } from "../sync/lease.ts";
import type { SecretsVault } from "../vault/secrets-vault.ts";
import { parseVaultPath, valueAt } from "../vault/vault-path.ts";

export interface DestinationsOptions {
  readonly platform: Platform;
  /** Native path of the workspace. */
  readonly root: string;
  readonly vault: SecretsVault;
  /** Learns what the vault holds, so that no log line does. */
  readonly secrets: SecretValues;
  readonly passphrase: () => Promise<string | undefined>;
  /** Who writes, to other machines; asked when something is written that keeps them out. */
  readonly holder: () => Promise<LeaseHolder>;
  /** For tests: what stands for Google. */
  readonly testDriveUrl?: string | undefined;
  /** For tests: another registry of providers. */
  readonly loadProvider?: ((service: string) => Promise<OpenProvider>) | undefined;
}

/** Where a workspace can be mirrored to: the vault's settings and the providers that they open. */
export class Destinations {
  readonly #around: DestinationsOptions;

  constructor(options: DestinationsOptions) {
    this.#around = options;
  }

  /**
   * The destination's settings from the vault. A `local` folder named in the config file needs no vault, as it needs no
   * credentials.
   */
  async settingsOf(
    settings: Settings,
    request: Pick<DryRunRequest, "service" | "credentials_key">,
  ): Promise<JsonObject> {
    const { localPath } = settings.sync;
    if (request.service === "local" && localPath !== undefined && request.credentials_key === undefined) {
      // By the workspace, where the setting is kept: from wherever a command is given it is the same folder.
      return { path: this.#around.platform.files.resolve(localPath, this.#around.root) };
    }
    const key = request.credentials_key ?? `cloud_sync.${request.service}`;
    // The provider's modules are read while the vault's key is derived in another thread. `open` hears of a failure.
    this.#load(request.service).catch(() => undefined);
    const payload = await this.#around.vault.unlock(await this.#around.passphrase());
    this.#around.secrets.learn(payload);
    const entry = valueAt(payload, parseVaultPath(key));
    if (!isJsonObject(entry)) {
      throw new SyncError(
        "credentials_missing",
        `the vault has no settings at the credentials_key of this request; add them with: comfyvn-sync vault set cloud_sync.${request.service}.…`,
      );
    }
    return entry;
  }

  /**
   * The provider of a service, with retries.
   * @param snapshot whose runs keep each other out; those of another may go on at the same time
   * @param patience how long a destination in trouble is waited for
   * @throws SyncError of the provider
   */
  async open(
    service: ServiceName,
    snapshot: string,
    destination: ProviderSettings,
    settings: Settings,
    { patience, onRetry }: { patience?: RetryPolicy; onRetry?: () => void } = {},
  ): Promise<Provider> {
    const open = await this.#load(service);
    const { holder, testDriveUrl } = this.#around;
    const { runtime, newHasher, files } = this.#around.platform;
    const stateFolder = files.join(this.#around.root, "cache", "cloud", "providers");
    const limit = settings.sync.bandwidthLimitBytesPerS;
    const provider = await open(destination, {
      newHasher,
      files,
      stateFolder,
      writer: async () => `${(await holder()).workspace}/${snapshot}`,
      ...(testDriveUrl === undefined ? {} : { testDriveUrl }),
      ...(limit === undefined ? {} : { pacer: createPacer(limit, systemClock) }),
      streamsKnownLength: runtime === "bun",
    });
    return withRetry(provider, patience, { newHasher, ...(onRetry === undefined ? {} : { onRetry }) });
  }

  #load(service: ServiceName): Promise<OpenProvider> {
    return (this.#around.loadProvider ?? loadProvider)(service);
  }
}
