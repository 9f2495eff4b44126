/** The whole product as it is for someone who did not install the optional packages. */
import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { App } from "../../src/app.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { tempFolder } from "../support/temp-folder.ts";

const REPOSITORY = resolve(import.meta.dir, "../..");
const OPTIONAL = new Set(["@aws-sdk", "@smithy", "@aws-crypto", "googleapis"]);
const PASSPHRASE = "no sdk";

/** The sources beside a node_modules that has every package but the optional ones. */
function installWithoutSdks(): string {
  const folder = tempFolder();
  cpSync(join(REPOSITORY, "src"), join(folder, "src"), { recursive: true });
  cpSync(join(REPOSITORY, "package.json"), join(folder, "package.json"));
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(join(REPOSITORY, "node_modules"))) {
    if (OPTIONAL.has(name)) continue;
    symlinkSync(join(REPOSITORY, "node_modules", name), join(folder, "node_modules", name));
  }
  return folder;
}

async function workspace(): Promise<string> {
  const root = tempFolder();
  mkdirSync(join(root, "assets"));
  mkdirSync(join(root, "config"));
  writeFileSync(join(root, "assets/a"), "A");
  writeFileSync(
    join(root, "config/comfyvn.json"),
    JSON.stringify({
      features: { enable_cloud_sync: true, enable_cloud_sync_s3: true, enable_cloud_sync_gdrive: true },
    }),
  );
  const app = await App.open({
    platform: bunPlatform(),
    root,
    passphrase: () => PASSPHRASE,
    complain: () => undefined,
  });
  await app.vault.create(
    {
      cloud_sync: {
        s3: { bucket: "bucket", aws_access_key_id: "id", aws_secret_access_key: "secret" },
        gdrive: { parent_id: "folder", credentials: { client_email: "a@b", private_key: "no key" } },
      },
    },
    PASSPHRASE,
  );
  app.close();
  return root;
}

test("without the SDKs the server starts, a dry run is a stub, a run is 502 naming the packages", async () => {
  const folder = installWithoutSdks();
  const server = Bun.spawn(
    [process.execPath, join(folder, "src/main.ts"), "serve", "--port", "0", "--root", await workspace()],
    {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", HOME: folder, COMFYVN_SECRETS_KEY: PASSPHRASE },
      stdout: "pipe",
      stderr: "inherit",
    },
  );
  afterAll(() => server.kill("SIGKILL"));
  const { value } = await server.stdout.getReader().read();
  const base = new TextDecoder().decode(value).replace("listening on ", "").trim();
  const post = async (route: string, service: string) => {
    const response = await fetch(base + route, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ service, paths: ["assets"] }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  for (const [service, packages] of [
    ["s3", "@aws-sdk/client-s3 @smithy/signature-v4"],
    ["gdrive", "googleapis"],
  ] as const) {
    const dry = await post("/api/sync/dry_run", service);
    expect(dry.status).toBe(200);
    expect(dry.body["summary"]).toMatchObject({ provider: "stub", status: "dry_run", errors: [] });
    expect(dry.body["plan"]).toMatchObject({ files_to_upload: 1 });
    const run = await post("/api/sync/run", service);
    expect(run).toMatchObject({ status: 502, body: { code: "sdk_missing" } });
    expect(run.body["detail"]).toContain(`bun add ${packages}`);
  }
  server.kill("SIGTERM");
  expect(await server.exited).toBe(0);
});
