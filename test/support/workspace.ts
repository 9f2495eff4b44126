import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { App, type AppOptions } from "../../src/app.ts";
import type { DryRunRequest, RunRequest } from "../../src/api/sync-request.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import { SyncError } from "../../src/core/errors.ts";
import type { ProductEvent } from "../../src/core/events.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { Provider } from "../../src/providers/contract.ts";
import { openMemoryProvider } from "../../src/providers/memory/memory-provider.ts";
import { MemoryStore } from "../../src/providers/memory/memory-store.ts";
import { settledClock } from "./settled-clock.ts";
import { tempFolder } from "./temp-folder.ts";

/** Passphrase of every test vault. */
export const PASSPHRASE = "test passphrase";

/** A workspace in a temporary folder, with every flag on, mirrored to a store in memory as service `s3`. */
export interface Workspace {
  readonly root: string;
  readonly store: MemoryStore;
  readonly events: readonly ProductEvent[];
  /** Laid over the memory provider: the place for faults. */
  wrap: (provider: Provider) => Provider;
  write(path: string, content: string | Uint8Array): void;
  remove(path: string): void;
  app(options?: Partial<AppOptions>): Promise<App>;
  /** Text of an object of snapshot `default`; undefined when there is none. */
  stored(path: string): string | undefined;
  dryRun(request?: Partial<DryRunRequest>): ReturnType<App["dryRun"]>;
  run(request?: Partial<RunRequest>, signal?: AbortSignal): ReturnType<App["run"]>;
}

const ALL_FLAGS = {
  enable_cloud_sync: true,
  enable_cloud_sync_s3: true,
  enable_cloud_sync_gdrive: true,
  enable_cloud_sync_local: true,
};

/** @param files content by path, written before the vault and the flags are */
export async function createWorkspace(
  files: Readonly<Record<string, string>> = {},
  store = new MemoryStore(),
): Promise<Workspace> {
  const root = tempFolder();
  const events: ProductEvent[] = [];
  const write = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  for (const [path, content] of Object.entries(files)) write(path, content);
  write("config/comfyvn.json", JSON.stringify({ features: ALL_FLAGS }));
  const workspace: Workspace = {
    root,
    store,
    events,
    wrap: (provider) => provider,
    write,
    remove: (path) => rmSync(join(root, path), { recursive: true }),
    stored: (path) => {
      const object = store.objects.get(`default/${path}`);
      return object === undefined ? undefined : new TextDecoder().decode(object.bytes);
    },
    app: (options = {}) =>
      App.open({
        platform: bunPlatform(),
        root,
        passphrase: () => PASSPHRASE,
        complain: () => undefined,
        clock: settledClock(),
        listener: { emit: (event) => events.push(event) },
        loadProvider: async () => async () =>
          workspace.wrap(openMemoryProvider({ store, newHasher: bunPlatform().newHasher })),
        ...options,
      }),
    dryRun: async (request = {}) => await (await workspace.app()).dryRun({ service: "s3", ...request }),
    run: async (request = {}, signal) => await (await workspace.app()).run({ service: "s3", ...request }, signal),
  };
  const app = await workspace.app();
  await app.vault.create({ cloud_sync: { s3: { bucket: "b" } } }, PASSPHRASE);
  app.close();
  return workspace;
}

/** The code that `promise` fails with. */
export async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | "no error"> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SyncError) return error.code;
    throw error;
  }
  return "no error";
}
