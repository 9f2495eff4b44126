import { SyncError } from "../core/errors.ts";
import type { Files } from "../platform/contract.ts";
import { parseConfigFile } from "./config-file.ts";
import type { ConfigFile, FlagName } from "./schema.ts";

/** Relative to the workspace, in the order in which the Python studio reads them: the later one's keys win. */
export const CONFIG_FILES = ["config/comfyvn.json", "comfyvn.json"] as const;

const CONFIG_BYTES_MAX = 1024 * 1024;

/** Where a server listens unless told otherwise, and how much of its log is kept. */
export const SERVER_DEFAULT = {
  host: "127.0.0.1",
  port: 8001,
  logBytesMax: 10 * 1024 * 1024,
  logFilesKept: 5,
} as const;

const WEBHOOK_ATTEMPTS_DEFAULT = 16;
const WEBHOOK_TIMEOUT_S_DEFAULT = 10;

/** What the config files of a workspace say, defaults filled in. */
export interface Settings {
  readonly features: Readonly<Record<FlagName, boolean>>;
  readonly sync: {
    /** undefined = the manifest room's defaults. */
    readonly include: readonly string[] | undefined;
    readonly exclude: readonly string[] | undefined;
    /** Objects in flight at once. undefined = the engine's default. */
    readonly concurrency: number | undefined;
    /** Of content that is sent, all transfers of a run together. undefined = as fast as it goes. */
    readonly bandwidthLimitBytesPerS: number | undefined;
    readonly localPath: string | undefined;
  };
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** logs/server.log is rotated before it grows over so many bytes. Counts from the next start. */
    readonly logBytesMax: number;
    /** Rotated files that are kept beside it. */
    readonly logFilesKept: number;
  };
  readonly hooks: {
    /** Webhooks may lead to this machine and to private networks. */
    readonly allowPrivateTargets: boolean;
    /** After so many failed attempts an event becomes a dead letter. */
    readonly webhookAttemptsMax: number;
    /** For one attempt, from the connection to the end of the answer. */
    readonly webhookTimeoutMs: number;
  };
}

/**
 * Reads the workspace's config files anew, so that a change counts from the next request.
 * @throws SyncError `config_malformed`, `config_invalid`, `file_unreadable`
 */
export async function loadSettings(files: Files, root: string): Promise<Settings> {
  const layers: ConfigFile[] = [];
  for (const name of CONFIG_FILES) {
    const bytes = await files.readBytes(files.join(root, name), CONFIG_BYTES_MAX);
    if (bytes !== undefined) layers.push(parseConfigFile(decode(bytes, name), name));
  }
  return mergeLayers(layers);
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new SyncError("config_malformed", `${name} is not valid UTF-8 text`, { cause: error });
  }
}

function mergeLayers(layers: readonly ConfigFile[]): Settings {
  const features = Object.assign({}, ...layers.map((layer) => layer.features)) as ConfigFile["features"];
  const sync = Object.assign({}, ...layers.map((layer) => layer.sync)) as NonNullable<ConfigFile["sync"]>;
  const server = Object.assign({}, ...layers.map((layer) => layer.server)) as NonNullable<ConfigFile["server"]>;
  const hooks = Object.assign({}, ...layers.map((layer) => layer.hooks)) as NonNullable<ConfigFile["hooks"]>;
  return {
    features: {
      enable_cloud_sync: features?.enable_cloud_sync === true,
      enable_cloud_sync_s3: features?.enable_cloud_sync_s3 === true,
      enable_cloud_sync_gdrive: features?.enable_cloud_sync_gdrive === true,
      enable_cloud_sync_local: features?.enable_cloud_sync_local === true,
    },
    sync: {
      include: sync.include,
      exclude: sync.exclude,
      concurrency: sync.concurrency,
      bandwidthLimitBytesPerS: sync.bandwidth_limit_bytes_per_s,
      localPath: sync.local?.path,
    },
    hooks: {
      allowPrivateTargets: hooks.allow_private_targets === true,
      webhookAttemptsMax: hooks.webhook_attempts_max ?? WEBHOOK_ATTEMPTS_DEFAULT,
      webhookTimeoutMs: (hooks.webhook_timeout_s ?? WEBHOOK_TIMEOUT_S_DEFAULT) * 1000,
    },
    server: {
      host: server.host ?? SERVER_DEFAULT.host,
      port: server.ports?.[0] ?? SERVER_DEFAULT.port,
      logBytesMax: server.log_bytes_max ?? SERVER_DEFAULT.logBytesMax,
      logFilesKept: server.log_files_kept ?? SERVER_DEFAULT.logFilesKept,
    },
  };
}
