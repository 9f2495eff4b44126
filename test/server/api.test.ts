import { describe, expect, spyOn, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { App } from "../../src/app.ts";
import { SyncError } from "../../src/core/errors.ts";
import { serveWorkspace } from "../support/api-server.ts";
import { createWorkspace, PASSPHRASE } from "../support/workspace.ts";

const FILES = { "assets/a.png": "A", "docs/c.md": "C" };
const S3 = { service: "s3" };

describe("flags", () => {
  test("each gate is off until the file says on, and counts from the next request", async () => {
    const workspace = await createWorkspace(FILES);
    const api = await serveWorkspace(workspace);
    const flags = (features: Record<string, unknown>) =>
      workspace.write("config/comfyvn.json", JSON.stringify({ features }));
    rmSync(join(workspace.root, "config/comfyvn.json"));
    expect(await api.get("/api/sync/manifest")).toMatchObject({ status: 403, body: { code: "feature_disabled" } });
    flags({ enable_cloud_sync: true });
    expect((await api.get("/api/sync/manifest")).status).toBe(200);
    const refused = await api.post("/api/sync/dry_run", S3);
    expect(refused.status).toBe(403);
    expect(refused.body["detail"]).toContain("features.enable_cloud_sync_s3");
    flags({ enable_cloud_sync: true, enable_cloud_sync_s3: true });
    expect((await api.post("/api/sync/dry_run", S3)).status).toBe(200);
    flags({ enable_cloud_sync: false, enable_cloud_sync_s3: true });
    expect((await api.post("/api/sync/run", S3)).status).toBe(403);
  });

  test("a malformed file is named with the position, and turns nothing on", async () => {
    const workspace = await createWorkspace(FILES);
    const api = await serveWorkspace(workspace);
    workspace.write("config/comfyvn.json", '{\n  "features": {\n    "enable_cloud_sync": true,,\n  }\n}');
    const { status, body } = await api.post("/api/sync/run", S3);
    expect([status, body["code"]]).toEqual([503, "config_malformed"]);
    expect(body["detail"]).toContain("config/comfyvn.json");
    expect(body["detail"]).toContain("line 3, column 31");
  });

  test("a flag that is text is an error and not on", async () => {
    const workspace = await createWorkspace(FILES);
    const api = await serveWorkspace(workspace);
    workspace.write("config/comfyvn.json", '{"features": {"enable_cloud_sync": "true"}}');
    const { status, body } = await api.get("/api/sync/manifest");
    expect([status, body["code"]]).toEqual([503, "config_invalid"]);
    expect(body["detail"]).toContain("features.enable_cloud_sync");
  });
});

test("a setting of the studio's that says nothing keeps nothing from running", async () => {
  const workspace = await createWorkspace(FILES);
  const api = await serveWorkspace(workspace);
  const sync = { snapshot_prefix: null, default_root: null };
  workspace.write("config/comfyvn.json", JSON.stringify({ features: { enable_cloud_sync: true }, sync, server: {} }));
  expect((await api.get("/api/sync/manifest")).status).toBe(200);
});

describe("manifest", () => {
  test("the summary has the contract's fields, and the entries when they are asked for", async () => {
    const api = await serveWorkspace(await createWorkspace(FILES));
    const { body } = await api.get("/api/sync/manifest?snapshot=nightly&include=assets,docs&exclude=*.md");
    expect(Object.keys(body)).toEqual([
      "name",
      "root",
      "created_at",
      "entries",
      "bytes",
      "checksum",
      "digest",
      "include",
      "exclude",
      "skipped",
    ]);
    expect(body).toMatchObject({
      name: "nightly",
      entries: 1,
      bytes: 1,
      include: ["assets", "docs"],
      exclude: ["*.md"],
    });
    const detailed = await api.get("/api/sync/manifest?include=assets&detail=entries");
    expect(detailed.body["detail"]).toMatchObject([{ path: "assets/a.png", size: 1 }]);
  });

  test("a switch is on in JSON's spelling, Python's and as a number, and for nothing else", async () => {
    const api = await serveWorkspace(await createWorkspace(FILES));
    const asked = spyOn(App.prototype, "manifest");
    try {
      for (const [text, on] of Object.entries({
        true: true,
        True: true,
        1: true,
        false: false,
        False: false,
        0: false,
      })) {
        asked.mockClear();
        expect((await api.get(`/api/sync/manifest?follow_symlinks=${text}&rehash=${text}`)).status).toBe(200);
        expect(asked.mock.calls[0]?.[0]).toMatchObject({ followSymlinks: on, rehash: on });
      }
    } finally {
      asked.mockRestore();
    }
    expect(await api.get("/api/sync/manifest?rehash=yes")).toMatchObject({ status: 422, body: { code: "schema" } });
  });

  test.each(["../x", "/etc", "C:/x", "a\\b", "a/../../b", "a%00b"])("include %s is refused", async (include) => {
    const api = await serveWorkspace(await createWorkspace(FILES));
    const encoded = include.includes("%") ? include : encodeURIComponent(include);
    expect(await api.get(`/api/sync/manifest?include=${encoded}`)).toMatchObject({
      status: 400,
      body: { code: "bad_path" },
    });
  });

  test.each(["../x", "manifests", "Manifests", "CON", "nul.txt", ".hidden", "a/b", "", "x".repeat(65)])(
    "snapshot '%s' is refused",
    async (snapshot) => {
      const api = await serveWorkspace(await createWorkspace(FILES));
      const query = await api.get(`/api/sync/manifest?snapshot=${encodeURIComponent(snapshot)}`);
      expect(query).toMatchObject({ status: 400, body: { code: "bad_snapshot" } });
      expect(await api.post("/api/sync/run", { ...S3, snapshot })).toMatchObject({
        status: 400,
        body: { code: "bad_snapshot" },
      });
    },
  );
});

describe("dry run and run", () => {
  test("the answers have the contract's fields", async () => {
    const api = await serveWorkspace(await createWorkspace(FILES));
    const dry = await api.post("/api/sync/dry_run", { ...S3, snapshot: "nightly", paths: ["assets", "docs"] });
    expect(Object.keys(dry.body)).toEqual(["manifest", "plan", "summary", "remote_manifest"]);
    expect(dry.body["plan"]).toMatchObject({
      service: "s3",
      snapshot: "nightly",
      deletes: [],
      unchanged: [],
      bytes_to_upload: 2,
      files_to_upload: 2,
      files_to_delete: 0,
      files_unchanged: 0,
    });
    expect(dry.body["summary"]).toMatchObject({ status: "dry_run", errors: [], bytes_uploaded: 0 });
    expect(dry.body["remote_manifest"]).toBeNull();
    const run = await api.post("/api/sync/run", { ...S3, snapshot: "nightly", paths: ["assets", "docs"] });
    expect(Object.keys(run.body)).toEqual(["manifest", "plan", "summary", "committed", "remote_manifest"]);
    expect(run.body["summary"]).toMatchObject({
      status: "ok",
      uploads: ["assets/a.png", "docs/c.md"],
      errors: [],
      bytes_uploaded: 2,
    });
  });

  test("a dry run changes nothing, here or there", async () => {
    const workspace = await createWorkspace(FILES);
    const api = await serveWorkspace(workspace);
    const ownNotes = /^logs\/|^cache\/cloud\/hash-index/;
    const files = () =>
      [...new Bun.Glob("**").scanSync({ cwd: workspace.root, dot: true })].filter((path) => !ownNotes.test(path));
    const before = files().toSorted();
    await api.post("/api/sync/dry_run", S3);
    expect(files().toSorted()).toEqual(before);
    expect(workspace.store.objects.size).toBe(0);
  });

  test("an unreachable destination: the dry run falls back to the cache and says so, the run fails as 502", async () => {
    const workspace = await createWorkspace(FILES);
    const api = await serveWorkspace(workspace);
    await api.post("/api/sync/run", S3);
    workspace.write("assets/new.png", "N");
    workspace.wrap = (provider) => ({
      ...provider,
      get: async () => {
        throw new SyncError("provider_denied", "scripted");
      },
    });
    const dry = await api.post("/api/sync/dry_run", S3);
    expect(dry.body["plan"]).toMatchObject({ files_to_upload: 1, files_unchanged: 3 });
    expect(dry.body["remote_manifest"]).toMatchObject({ source: "cache" });
    expect(JSON.stringify(dry.body["summary"])).toContain("planned against the cached manifest");
    expect(await api.post("/api/sync/run", S3)).toMatchObject({ status: 502, body: { code: "provider_denied" } });
  });

  test("the log of a partial run says which files failed and why, as far as it stays readable", async () => {
    const names = Array.from({ length: 30 }, (_, i) => `assets/${String(i).padStart(2, "0")}.png`);
    const workspace = await createWorkspace(Object.fromEntries(names.map((name) => [name, name])));
    const api = await serveWorkspace(workspace);
    workspace.wrap = (provider) => ({
      ...provider,
      put: async (...args: Parameters<typeof provider.put>) => {
        if (args[0].endsWith(".png")) throw new SyncError("disk_full", "scripted");
        return await provider.put(...args);
      },
    });
    expect((await api.post("/api/sync/run", S3)).body["summary"]).toMatchObject({ status: "partial" });
    const lines = readFileSync(join(workspace.root, "logs/server.log"), "utf8").trimEnd().split("\n");
    const [line] = lines
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .filter(({ event }) => event === "sync.run");
    expect(line).toMatchObject({ status: "partial", errors: 30 });
    const failures = line?.["failures"] as readonly Record<string, string>[];
    expect(failures).toHaveLength(20);
    for (const failure of failures) {
      expect(failure).toMatchObject({ action: "upload", code: "disk_full", error: "scripted" });
      expect(names).toContain(failure["path"] ?? "");
    }
  });

  test("a missing SDK: the dry run is a stub with the cached plan, the run is 502 naming the package", async () => {
    const workspace = await createWorkspace(FILES);
    const whole = await serveWorkspace(workspace);
    await whole.post("/api/sync/run", S3);
    workspace.write("assets/new.png", "N");
    const missing = new SyncError("sdk_missing", "install it with: bun add @aws-sdk/client-s3");
    const api = await serveWorkspace(workspace, { loadProvider: () => Promise.reject(missing) });
    const dry = await api.post("/api/sync/dry_run", S3);
    expect(dry.body["summary"]).toMatchObject({
      status: "dry_run",
      errors: [],
      provider: "stub",
      reason: missing.message,
    });
    expect(dry.body["plan"]).toMatchObject({ files_to_upload: 1, files_unchanged: 3 });
    const run = await api.post("/api/sync/run", S3);
    expect(run).toMatchObject({ status: 502, body: { code: "sdk_missing" } });
    expect(run.body["detail"]).toContain("@aws-sdk/client-s3");
  });

  test("the delete guard answers 409 with counts", async () => {
    const workspace = await createWorkspace(FILES);
    const api = await serveWorkspace(workspace);
    await api.post("/api/sync/run", S3);
    workspace.remove("docs");
    expect(await api.post("/api/sync/run", S3)).toMatchObject({
      status: 409,
      body: { code: "delete_guard", deletes: 1, missing_include_paths: 1 },
    });
  });
});

describe("what a request may not say", () => {
  test.each([
    { endpoint_url: "http://127.0.0.1:1" },
    { aws_access_key_id: "x" },
    { AWS_SECRET_ACCESS_KEY: "x" },
    { credentials: {} },
    { service_account: {} },
    { token_uri: "x" },
    { profile: "x" },
    { path: "/" },
  ])("service_config %j is 400 protected_setting, and nothing is contacted", async (service_config) => {
    const workspace = await createWorkspace(FILES);
    let opened = 0;
    const api = await serveWorkspace(workspace, {
      loadProvider: async () => {
        opened++;
        throw new Error("not reached");
      },
    });
    for (const route of ["/api/sync/dry_run", "/api/sync/run"]) {
      expect(await api.post(route, { ...S3, service_config })).toMatchObject({
        status: 400,
        body: { code: "protected_setting" },
      });
    }
    expect(opened).toBe(0);
  });

  test.each([
    [{}],
    [{ service: "ftp" }],
    [{ ...S3, unknown: 1 }],
    [{ ...S3, paths: "assets" }],
    [{ ...S3, snapshot: 5 }],
    [{ ...S3, service_config: { unheard_of: 1 } }],
    [[]],
    [null],
    [{ ...S3, confirm_deletes: true }],
  ])("dry run %j is 422 and echoes nothing", async (body) => {
    const api = await serveWorkspace(await createWorkspace(FILES));
    const { status, text, type } = await api.post("/api/sync/dry_run", body);
    expect([status, type]).toEqual([422, "application/problem+json"]);
    expect(text).not.toContain("unheard_of");
    expect(text).not.toContain("ftp");
  });

  test.each(["{", "", '{"service":"s3",}', "[".repeat(100_000)])(
    "a body that is no JSON object is 4xx at once (%#)",
    async (body) => {
      const api = await serveWorkspace(await createWorkspace(FILES));
      const { status } = await api.post("/api/sync/run", body);
      expect([400, 422]).toContain(status);
    },
  );

  test("a body over the limit is 413", async () => {
    const api = await serveWorkspace(await createWorkspace(FILES));
    const { status, body } = await api.post("/api/sync/run", { ...S3, snapshot: "x".repeat(2_000_000) });
    expect([status, body["code"]]).toEqual([413, "body_too_large"]);
  });

  test("unknown addresses are 404, known ones with another method 405", async () => {
    const api = await serveWorkspace(await createWorkspace(FILES));
    expect(await api.get("/api/nothing")).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect(await api.get("/api/sync/run")).toMatchObject({ status: 405, body: { code: "method_not_allowed" } });
    expect(await api.post("/api/sync/manifest", {})).toMatchObject({ status: 405 });
  });
});

describe("the vault's states, each 423 with its code", () => {
  test("absent, locked, wrong passphrase, damaged; credentials missing is 400", async () => {
    const workspace = await createWorkspace(FILES);
    const vault = join(workspace.root, "config/comfyvn.secrets.json");
    const locked = await serveWorkspace(workspace, { passphrase: () => undefined });
    expect(await locked.post("/api/sync/run", S3)).toMatchObject({ status: 423, body: { code: "vault_locked" } });
    const wrong = await serveWorkspace(workspace, { passphrase: () => "not it" });
    expect(await wrong.post("/api/sync/dry_run", S3)).toMatchObject({
      status: 423,
      body: { code: "vault_wrong_passphrase" },
    });
    const right = await serveWorkspace(workspace);
    expect(await right.post("/api/sync/run", { ...S3, credentials_key: "cloud_sync.nowhere" })).toMatchObject({
      status: 400,
      body: { code: "credentials_missing" },
    });
    workspace.write("config/comfyvn.secrets.json", "{}");
    expect(await right.post("/api/sync/run", S3)).toMatchObject({ status: 423, body: { code: "vault_malformed" } });
    rmSync(vault);
    expect(await right.post("/api/sync/run", S3)).toMatchObject({ status: 423, body: { code: "vault_missing" } });
  });
});

test("security 5: a canary secret is in no answer, log line or stored object, whatever happens", async () => {
  const workspace = await createWorkspace(FILES);
  const canary = "CANARYf3kq9x7w2p";
  const app = await workspace.app();
  await app.vault.store(
    { cloud_sync: { s3: { bucket: "b", aws_secret_access_key: canary, aws_access_key_id: `id${canary}` } } },
    PASSPHRASE,
  );
  app.close();
  const api = await serveWorkspace(workspace);
  const answers = [
    await api.post("/api/sync/dry_run", S3),
    await api.post("/api/sync/run", S3),
    await api.post("/api/sync/run", { ...S3, service_config: { endpoint_url: canary } }),
    await api.post("/api/sync/run", { ...S3, snapshot: canary.repeat(9) }),
    await api.post("/api/sync/run", { ...S3, [canary]: canary }),
    await api.get("/api/health"),
    await api.get("/api/sync/manifest?detail=entries"),
  ];
  workspace.wrap = (provider) => ({
    ...provider,
    get: async () => {
      throw new Error(`Authorization: AWS4 ${canary}`);
    },
  });
  answers.push(await api.post("/api/sync/run", S3), await api.post("/api/sync/dry_run", S3));
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 400, 400, 422, 200, 200, 500, 500]);
  for (const { text } of answers) expect(text).not.toContain(canary);
  for (const [key, { bytes }] of workspace.store.objects)
    expect(key + new TextDecoder().decode(bytes)).not.toContain(canary);
  const log = readFileSync(join(workspace.root, "logs/server.log"), "utf8");
  expect(log).not.toContain(canary);
  expect(log).toContain("[redacted]");
});

test("the log has a JSON line for each dry run and run, with provider, paths, counts and duration", async () => {
  const workspace = await createWorkspace(FILES);
  const api = await serveWorkspace(workspace);
  await api.post("/api/sync/dry_run", { ...S3, paths: ["assets"] });
  await api.post("/api/sync/run", { ...S3, paths: ["assets"] });
  const lines = readFileSync(join(workspace.root, "logs/server.log"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const event of ["sync.dry_run", "sync.run"]) {
    expect(lines.find((line) => line.event === event)).toMatchObject({
      provider: "s3",
      snapshot: "default",
      paths: ["assets"],
      uploads: 1,
      deletes: 0,
      bytes: 1,
      duration_ms: expect.any(Number),
    });
  }
});
