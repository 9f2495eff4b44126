/**
 * The portable library: runs on Bun, Deno, Node and in workers, and asks nothing of a file system. Import the server and
 * the CLI from main.ts instead.
 */
import type { Provider, ProviderContext, ProviderSettings } from "./providers/contract.ts";

export { ApiClient, type ApiClientOptions, ApiError } from "./api/client.ts";
export { createBackup, listBackups, restoreBackup, verifyBackup } from "./api/backup-operations.ts";
export { getHealth } from "./api/health-operations.ts";
export { dryRunSync, getManifest, runSync } from "./api/sync-operations.ts";
export { ERROR_CODES, type ErrorCode, SyncError } from "./core/errors.ts";
export { type Hasher, type NewHasher, newPortableHasher } from "./core/hash.ts";
export { signWebhook, type WebhookMessage } from "./hooks/webhooks/sign-webhook.ts";
export { VERSION } from "./core/version.ts";
export { manifestChecksum, type ManifestDigests, manifestDigests } from "./manifest/checksum.ts";
export {
  type CachedManifest,
  decodeCacheFile,
  decodeRemoteManifest,
  type RemoteManifest,
} from "./manifest/decode-manifest.ts";
export { diffManifests, type ManifestDiff, type SyncChange } from "./manifest/diff.ts";
export { encodeCacheFile, encodeRemoteManifest, joinChunks } from "./manifest/encode-manifest.ts";
export { orderedEntries } from "./manifest/entries-in-order.ts";
export type { Manifest, ManifestEntry, SkippedPath } from "./manifest/manifest.ts";
export { createScope, DEFAULT_BACKUP_INCLUDE, DEFAULT_INCLUDE, type Scope } from "./manifest/scope.ts";
export type { ByteSource, ObjectInfo, OpenProvider, Provider, ProviderContext } from "./providers/contract.ts";
export { type PlanInput, type PlanResult, planSync, type SyncPlan } from "./sync/plan.ts";
export { SecretsVault, type VaultOptions } from "./vault/secrets-vault.ts";
export { textVaultStorage } from "./vault/text-vault-storage.ts";

/** The S3 provider over fetch. Loads its SDK on first use. */
export async function openS3Provider(settings: ProviderSettings, context: ProviderContext): Promise<Provider> {
  const { openProvider } = await import("./providers/s3/s3-provider.ts");
  return await openProvider(settings, context);
}
