import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { loadProvider } from "../../../src/providers/registry.ts";
import { serveWorkspace } from "../../support/api-server.ts";
import { createWorkspace, PASSPHRASE } from "../../support/workspace.ts";

/** An HTTP server that counts what reaches it. */
function recorder() {
  let hits = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => {
      hits++;
      return new Response("{}", { status: 403 });
    },
  });
  afterAll(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}`, hits: () => hits };
}

describe("security 2: a request that says where credentials go", () => {
  const KEYS = ["endpoint_url", "token_uri", "ENDPOINT_URL", "aws_endpoint_url", "AWS_ENDPOINT_URL_S3", "credentials"];

  test.each(KEYS)("service_config.%s is 400, and nobody is contacted", async (key) => {
    const [own, foreign] = [recorder(), recorder()];
    const workspace = await createWorkspace({ "assets/a": "A" });
    const app = await workspace.app();
    const s3 = { bucket: "bucket", aws_access_key_id: "id", aws_secret_access_key: "secret", endpoint_url: own.url };
    await app.vault.store({ cloud_sync: { s3, gdrive: { parent_id: "p" } } }, PASSPHRASE);
    app.close();
    const api = await serveWorkspace(workspace, { loadProvider });
    for (const service of ["s3", "gdrive", "local"]) {
      for (const route of ["/api/sync/dry_run", "/api/sync/run"]) {
        const answer = await api.post(route, { service, service_config: { [key]: foreign.url } });
        expect(answer).toMatchObject({ status: 400, body: { code: "protected_setting" } });
      }
    }
    expect([own.hits(), foreign.hits()]).toEqual([0, 0]);
    // The recorder would have seen it: a request without the setting reaches the vault's own endpoint.
    await api.post("/api/sync/dry_run", { service: "s3" });
    expect(own.hits()).toBeGreaterThan(0);
  });
});

describe("security 22: names that are paths", () => {
  const NAMES = [
    "../../x.zip",
    "/etc/x.zip",
    "%2e%2e/x.zip",
    "%2e%2e%2fx.zip",
    "..",
    "C:\\x.zip",
    "20200101T000000Z.zip/../../x",
    "20200101T000000Z\0.zip",
    "file:///etc/passwd",
  ];
  const SNAPSHOTS = ["../x", "..", "a/../b", "/x", "a\\b", "%2e%2e%2fx", "x\0", "manifests", "NUL"];

  test.each(NAMES)("backup %j is 4xx and touches nothing", async (name) => {
    const workspace = await createWorkspace({ "assets/a": "A" });
    workspace.write("backups/x.zip", "not to be read");
    const api = await serveWorkspace(workspace);
    for (const action of ["restore", "verify"]) {
      const answer = await api.post(`/api/backup/${action}`, { name });
      expect(answer).toMatchObject({ status: 400, body: { code: "backup_name" } });
    }
    expect(readdirSync(join(workspace.root, "assets"))).toEqual(["a"]);
  });

  test.each(SNAPSHOTS)("snapshot %j is 4xx and makes no file or object", async (snapshot) => {
    const workspace = await createWorkspace({ "assets/a": "A" });
    const api = await serveWorkspace(workspace);
    const query = await api.get(`/api/sync/manifest?snapshot=${encodeURIComponent(snapshot)}`);
    const dryRun = await api.post("/api/sync/dry_run", { service: "s3", snapshot });
    const run = await api.post("/api/sync/run", { service: "s3", snapshot });
    for (const answer of [query, dryRun, run]) {
      expect(answer).toMatchObject({ status: 400, body: { code: "bad_snapshot" } });
    }
    expect(existsSync(join(workspace.root, "cache/cloud/manifests"))).toBe(false);
    expect(workspace.store.objects.size).toBe(0);
  });
});
