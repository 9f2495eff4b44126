/** Whole runs to Google Drive, as the server and its users see them, on the strict fake. */
import { describe, expect, test } from "bun:test";
import type { DriveFake } from "../fakes/drive/drive-fake.ts";
import { startFake } from "../fakes/start-fake.ts";
import { serveWorkspace } from "../support/api-server.ts";
import { type DriveWorkspace, driveWorkspace } from "../support/drive-workspace.ts";

const decoder = new TextDecoder();

/** Text by path of what lies in the shared drive for a snapshot, by the properties that both products know. */
function mirrored(fake: DriveFake, snapshot: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const file of fake.store.files()) {
    const properties = file.appProperties.get(fake.account.app);
    const path = properties?.get("comfyvn_path");
    if (file.trashed || path === undefined || properties?.get("comfyvn_snapshot") !== snapshot) continue;
    expect(found[path], `a second file for ${path}`).toBeUndefined();
    found[path] = decoder.decode(file.content?.bytes);
  }
  return found;
}

function manifestIn(fake: DriveFake, name: string): Record<string, unknown> {
  const files = [...fake.store.files()].filter((file) => file.name === name && !file.trashed);
  expect(files.length, `files called ${name}`).toBe(1);
  return JSON.parse(decoder.decode(files[0]?.content?.bytes)) as Record<string, unknown>;
}

async function planned(workspace: DriveWorkspace, snapshot?: string): Promise<readonly [number, number]> {
  const { plan } = await workspace.dryRun(snapshot === undefined ? {} : { snapshot });
  return [plan.files_to_upload, plan.files_to_delete];
}

test("the request of the notes mirrors a workspace over HTTP, and the next dry run has nothing to do", async () => {
  const fake = await startFake();
  const [objects, manifests] = [fake.addFolder({ name: "objects" }), fake.addFolder({ name: "manifests" })];
  const workspace = await driveWorkspace(fake, {
    "assets/a.png": "A",
    "assets/deep/b.png": "B",
    "config/x.json": "{}",
  });
  const server = await serveWorkspace(workspace);
  const request = {
    service: "gdrive",
    snapshot: "milestone-12",
    credentials_key: "cloud_sync.gdrive",
    service_config: { parent_id: objects.id, manifest_parent_id: manifests.id },
  };
  const run = await server.post("/api/sync/run", request);
  expect(run.status, run.text).toBe(200);
  expect(run.body["summary"]).toMatchObject({ status: "ok", errors: [] });
  const files = mirrored(fake, "milestone-12");
  expect(files).toMatchObject({ "assets/a.png": "A", "assets/deep/b.png": "B" });
  expect(Object.keys(files)).not.toContain("config/comfyvn.secrets.json");
  expect([...fake.store.childrenOf(manifests.id)].map(({ name }) => name).toSorted()).toEqual([
    ".milestone-12.lease.json",
    "milestone-12.json",
  ]);
  const again = await server.post("/api/sync/dry_run", request);
  expect(again.body["plan"]).toMatchObject({ files_to_upload: 0, files_to_delete: 0 });
  expect(again.body["summary"]).toMatchObject({ warnings: [] });
  fake.assertNothingRefused();
}, 20_000);

describe("what a run costs", () => {
  test("2,000 files take at most 2,100 writes and 10 listings, and a run without changes 3 calls", async () => {
    const fake = await startFake();
    const workspace = await driveWorkspace(fake);
    for (let n = 0; n < 2_000; n++) workspace.write(`assets/${n % 20}/file-${n}.txt`, `file ${n}`);
    const { summary } = await workspace.run();
    expect(summary).toMatchObject({ status: "ok", errors: [] });
    expect(Object.keys(mirrored(fake, "default")).length).toBe(2_000);
    expect(fake.log.writes).toBeLessThanOrEqual(2_100);
    expect(fake.log.lists).toBeLessThanOrEqual(10);

    fake.log.clear();
    expect(await workspace.run()).toMatchObject({ summary: { status: "ok", uploads: [] } });
    expect(fake.log.calls).toBeLessThanOrEqual(3);

    fake.log.clear();
    workspace.write("assets/0/file-0.txt", "changed");
    expect(await workspace.run()).toMatchObject({ summary: { uploads: ["assets/0/file-0.txt"] } });
    // No listing of two thousand files for one of them.
    expect(fake.log.lists).toBeLessThanOrEqual(4);
    fake.assertNothingRefused();
  }, 60_000);
});

describe("what a run does", () => {
  test("changes, deletes and moves arrive, and a move sends no content", async () => {
    const fake = await startFake();
    const workspace = await driveWorkspace(fake, { "assets/a": "A".repeat(1_000), "assets/b": "B", "assets/c": "C" });
    await workspace.run();
    const idOf = (path: string) =>
      [...fake.store.files()].find((file) => file.appProperties.get("studio")?.get("comfyvn_path") === path)?.id;
    const [moved, changed] = [idOf("assets/a"), idOf("assets/b")];
    workspace.remove("assets/a");
    workspace.write("assets/renamed/a", "A".repeat(1_000));
    workspace.write("assets/b", "B2");
    workspace.remove("assets/c");
    fake.log.clear();
    const { summary } = await workspace.run();
    expect(summary).toMatchObject({ status: "ok", uploads: ["assets/b", "assets/renamed/a"] });
    expect(mirrored(fake, "default")).toEqual({ "assets/renamed/a": "A".repeat(1_000), "assets/b": "B2" });
    expect([idOf("assets/renamed/a"), idOf("assets/b")]).toEqual([moved, changed]);
    expect(fake.log.requests.filter(({ contentBytesIn }) => contentBytesIn === 1_000)).toEqual([]);
    expect(fake.log.count("files.copy")).toBe(0);
    expect(await planned(workspace)).toEqual([0, 0]);
    fake.assertNothingRefused();
  });

  test("the same content under two names is copied inside Drive", async () => {
    const fake = await startFake();
    const workspace = await driveWorkspace(fake, { "assets/a": "same" });
    await workspace.run();
    workspace.write("assets/b", "same");
    workspace.write("assets/c", "same");
    fake.log.clear();
    await workspace.run();
    expect(mirrored(fake, "default")).toEqual({ "assets/a": "same", "assets/b": "same", "assets/c": "same" });
    expect(fake.log.count("files.copy")).toBe(2);
    expect(await planned(workspace)).toEqual([0, 0]);
  });

  test("two snapshots of one folder do not touch each other", async () => {
    const fake = await startFake();
    const workspace = await driveWorkspace(fake, { "assets/a": "one" });
    await workspace.run({ snapshot: "one" });
    workspace.write("assets/a", "two");
    await workspace.run({ snapshot: "two" });
    expect([mirrored(fake, "one"), mirrored(fake, "two")]).toEqual([{ "assets/a": "one" }, { "assets/a": "two" }]);
    expect(await planned(workspace, "two")).toEqual([0, 0]);
    expect(await planned(workspace, "one")).toEqual([1, 0]);
  });

  test("the published record holds the id of each file beside what the Python studio reads", async () => {
    const fake = await startFake();
    const workspace = await driveWorkspace(fake, { "assets/a": "A" });
    await workspace.run({ snapshot: "nightly" });
    const { manifest, comfyvn_sync: ours } = manifestIn(fake, "nightly.json") as {
      manifest: { entries: Record<string, unknown> };
      comfyvn_sync: { versions: Record<string, string> };
    };
    expect(Object.keys(manifest.entries)).toEqual(["assets/a"]);
    const id = ours.versions["assets/a"]?.split(":")[0] ?? "";
    expect(fake.store.get(id)?.name).toBe("a");
  });

  test("the summary says what Drive cannot promise to two machines", async () => {
    const fake = await startFake();
    const workspace = await driveWorkspace(fake, { "assets/a": "A" });
    const { summary } = await workspace.run();
    expect(summary.warnings).toEqual([expect.stringContaining("Google Drive has no conditional writes")]);
  });
});

describe("while Drive's search lags a minute behind", () => {
  test("a second run sees what the first one published, and makes no second file", async () => {
    const fake = await startFake();
    fake.store.indexLagMs = 60_000;
    const workspace = await driveWorkspace(fake, { "assets/a": "A", "assets/b": "B" });
    await workspace.run();
    expect(await planned(workspace)).toEqual([0, 0]);
    workspace.write("assets/a", "A2");
    workspace.remove("assets/b");
    expect((await workspace.run()).summary).toMatchObject({
      status: "ok",
      uploads: ["assets/a"],
      deletes: ["assets/b"],
    });
    expect(mirrored(fake, "default")).toEqual({ "assets/a": "A2" });
    expect(await planned(workspace)).toEqual([0, 0]);
    fake.assertNothingRefused();
  });

  test("a run that was cut off is known by its marker, and what had arrived is not sent again", async () => {
    const fake = await startFake();
    fake.store.indexLagMs = 60_000;
    const workspace = await driveWorkspace(fake, { "assets/a": "A", "assets/b": "B", "assets/c": "C" });
    const controller = new AbortController();
    fake.onRequest = () => {
      if (fake.log.count("files.create.multipart") > 4) controller.abort();
    };
    await workspace.run({}, controller.signal).catch(() => undefined);
    fake.onRequest = () => undefined;
    expect((await workspace.run()).summary).toMatchObject({ status: "ok" });
    expect(mirrored(fake, "default")).toEqual({ "assets/a": "A", "assets/b": "B", "assets/c": "C" });
    expect(await planned(workspace)).toEqual([0, 0]);
  });
});

describe("beside the Python studio", () => {
  /** A folder as the studio leaves it: objects by path alone, and a manifest without our record. */
  async function studioMirror(fake: DriveFake, files: Readonly<Record<string, string>>): Promise<DriveWorkspace> {
    const workspace = await driveWorkspace(fake, files);
    const app = await workspace.app();
    const { detail = [] } = await app.manifest({ snapshot: "nightly", include: ["assets"], withEntries: true });
    app.close();
    const entries = Object.fromEntries(detail.map((entry) => [entry.path, entry]));
    const manifest = { name: "nightly", root: "/studio", created_at: "2025-11-18T04:05:06+00:00", entries };
    for (const [path, content] of Object.entries(files)) {
      const appProperties = { comfyvn_path: path };
      fake.addFile({ name: path.split("/").at(-1)!, content, madeBy: fake.account.app, appProperties });
    }
    fake.addFile({ name: "nightly.json", content: JSON.stringify({ manifest }), madeBy: fake.account.app });
    return workspace;
  }

  test("its mirror is adopted without sending a file, and then known by ids", async () => {
    const fake = await startFake();
    const files = { "assets/a": "A", "assets/deep/b": "B" };
    const workspace = await studioMirror(fake, files);
    expect(await planned(workspace, "nightly")).toEqual([0, 0]);
    const { summary } = await workspace.run({ snapshot: "nightly" });
    expect(summary).toMatchObject({ status: "ok", uploads: [], deletes: [] });
    const ours = manifestIn(fake, "nightly.json")["comfyvn_sync"] as { versions: Record<string, string> };
    expect(Object.keys(ours.versions)).toEqual(Object.keys(files));
    fake.log.clear();
    await workspace.run({ snapshot: "nightly" });
    expect(fake.log.calls).toBeLessThanOrEqual(3);
  });

  test("what its manifest claims and Drive does not hold is sent again", async () => {
    const fake = await startFake();
    const workspace = await studioMirror(fake, { "assets/a": "A", "assets/b": "B", "assets/c": "C" });
    const fileOf = (path: string) =>
      [...fake.store.files()].find((file) => file.appProperties.get("studio")?.get("comfyvn_path") === path)!;
    fake.store.remove(fileOf("assets/a").id);
    fake.store.change(fileOf("assets/b").id, { content: fileOf("assets/c").content });
    const { summary } = await workspace.run({ snapshot: "nightly" });
    expect(summary.uploads).toEqual(["assets/a", "assets/b"]);
    const contents = ["assets/a", "assets/b", "assets/c"].map((path) => decoder.decode(fileOf(path).content?.bytes));
    expect(contents).toEqual(["A", "B", "C"]);
  });
});
