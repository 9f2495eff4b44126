import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DryRunRequest, RunRequest } from "../../src/api/sync-request.ts";
import { App, type AppOptions } from "../../src/app.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { DriveFake } from "../fakes/drive/drive-fake.ts";
import { tempFolder } from "./temp-folder.ts";

const PASSPHRASE = "drive passphrase";

/** A workspace whose vault leads to the shared drive of a fake, through the real registry of providers. */
export interface DriveWorkspace {
  readonly root: string;
  write(path: string, content: string | Uint8Array): void;
  remove(path: string): void;
  /** Text of logs/server.log. */
  log(): string;
  app(options?: Partial<AppOptions>): Promise<App>;
  dryRun(request?: Partial<DryRunRequest>): ReturnType<App["dryRun"]>;
  run(request?: Partial<RunRequest>, signal?: AbortSignal): ReturnType<App["run"]>;
}

/**
 * @param files content by path, written before the vault and the flags are
 * @param settings over those of the vault's entry
 */
export async function driveWorkspace(
  fake: DriveFake,
  files: Readonly<Record<string, string>> = {},
  settings: Readonly<Record<string, unknown>> = {},
): Promise<DriveWorkspace> {
  const root = tempFolder();
  const write = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  for (const [path, content] of Object.entries(files)) write(path, content);
  write(
    "config/comfyvn.json",
    JSON.stringify({ features: { enable_cloud_sync: true, enable_cloud_sync_gdrive: true } }),
  );
  const platform = bunPlatform();
  const env = (name: string) => (name === "COMFYVN_TEST_DRIVE_URL" ? fake.url : undefined);
  const workspace: DriveWorkspace = {
    root,
    write,
    remove: (path) => rmSync(join(root, path), { recursive: true }),
    log: () => readFileSync(join(root, "logs/server.log"), "utf8"),
    app: (options = {}) =>
      App.open({
        platform: { ...platform, env },
        root,
        passphrase: () => PASSPHRASE,
        complain: () => undefined,
        ...options,
      }),
    dryRun: async (request = {}) =>
      await withApp((app) => app.dryRun({ service: "gdrive", paths: ["assets"], ...request })),
    run: async (request = {}, signal) =>
      await withApp((app) => app.run({ service: "gdrive", paths: ["assets"], ...request }, signal)),
  };
  const withApp = async <T>(use: (app: App) => Promise<T>): Promise<T> => {
    const app = await workspace.app();
    try {
      return await use(app);
    } finally {
      app.close();
    }
  };
  await withApp((app) =>
    app.vault.create(
      {
        cloud_sync: {
          gdrive: { parent_id: fake.drive.id, scopes: "drive", credentials: fake.account.file, ...settings },
        },
      },
      PASSPHRASE,
    ),
  );
  return workspace;
}
