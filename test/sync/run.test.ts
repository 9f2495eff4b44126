import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SyncError } from "../../src/core/errors.ts";
import type { Provider, PutOptions } from "../../src/providers/contract.ts";
import { settledClock } from "../support/settled-clock.ts";
import { codeOf, createWorkspace, type Workspace } from "../support/workspace.ts";

const FILES = { "assets/a.png": "A", "assets/b.png": "B", "docs/c.md": "C" };

/** A put that fails for keys that end so, for good. */
function failing(
  ending: string,
  code: "provider_denied" | "content_mismatch" = "provider_denied",
): (provider: Provider) => Provider {
  return (provider) => ({
    ...provider,
    put: async (key, source, options) => {
      if (key.endsWith(ending)) throw new SyncError(code, "scripted");
      return await provider.put(key, source, options);
    },
  });
}

const cacheFile = (workspace: Workspace) => join(workspace.root, "cache/cloud/manifests/s3/default.json");
const manifestText = ({ store }: Workspace) =>
  new TextDecoder().decode(store.objects.get("manifests/default.json")?.bytes);
const paths = (changes: readonly { readonly path: string }[]) => changes.map((change) => change.path);

describe("a run that is ok", () => {
  test("everything arrives, and the next dry run plans nothing", async () => {
    const workspace = await createWorkspace(FILES);
    const first = await workspace.run();
    expect(first.summary).toMatchObject({ status: "ok", errors: [], deletes: [] });
    expect(first.summary.uploads.toSorted()).toEqual([
      "assets/a.png",
      "assets/b.png",
      "config/comfyvn.json",
      "docs/c.md",
    ]);
    expect(first.committed).toBe(true);
    expect(workspace.stored("assets/a.png")).toBe("A");
    const { plan, remote_manifest } = await workspace.dryRun();
    expect([plan.uploads, plan.deletes]).toEqual([[], []]);
    expect(remote_manifest?.entries).toBe(4);
  });

  test("what is told of the destination is what it publishes, also when that is more than the run was about", async () => {
    const workspace = await createWorkspace(FILES);
    const whole = await workspace.run();
    expect(whole.remote_manifest).toMatchObject({ digest: whole.manifest.digest, checksum: whole.manifest.checksum });
    const part = await workspace.run({ paths: ["assets"] });
    expect([part.manifest.entries, part.remote_manifest?.entries]).toEqual([2, 4]);
    expect(part.remote_manifest).toMatchObject({ digest: whole.manifest.digest, checksum: whole.manifest.checksum });
    expect((await workspace.dryRun()).remote_manifest?.digest).toBe(whole.manifest.digest);
  });

  test("what is told after a partial run no longer names what was withdrawn for its deletes", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    rmSync(join(workspace.root, "docs/c.md"));
    workspace.write("assets/d.png", "D");
    workspace.wrap = failing("d.png");
    const { summary, remote_manifest } = await workspace.run();
    expect(summary).toMatchObject({ status: "partial", deletes: ["docs/c.md"] });
    const { manifest } = JSON.parse(manifestText(workspace)) as { manifest: { entries: Record<string, unknown> } };
    expect(remote_manifest?.entries).toBe(Object.keys(manifest.entries).length);
  });

  test("no run marker stays, so that the next run needs no listing", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    expect([...workspace.store.objects.keys()].filter((key) => key.startsWith("manifests/")).toSorted()).toEqual([
      "manifests/.default.lease.json",
      "manifests/default.json",
    ]);
  });

  test("a snapshot called like another one's marker or lease keeps its manifest", async () => {
    const workspace = await createWorkspace(FILES);
    const others = ["default.run", "default.lease"];
    for (const snapshot of others) await workspace.run({ snapshot });
    const manifestsOf = () => others.map((name) => workspace.store.objects.get(`manifests/${name}.json`)?.version);
    const before = manifestsOf();
    expect(before).not.toContain(undefined);
    await workspace.run();
    expect(manifestsOf()).toEqual(before);
  });

  test("a run that finds nothing to do writes nothing to the store", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    const before = new Map([...workspace.store.objects].map(([key, { version }]) => [key, version]));
    const again = await workspace.run();
    expect(again.summary).toMatchObject({ status: "ok", uploads: [], bytes_uploaded: 0 });
    expect(new Map([...workspace.store.objects].map(([key, { version }]) => [key, version]))).toEqual(before);
  });

  test("changes and deletes are exactly what is planned and done", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    workspace.write("assets/a.png", "A2");
    workspace.write("assets/new.png", "N");
    workspace.remove("docs/c.md");
    const { summary } = await workspace.run({ confirm_deletes: true });
    expect(summary.uploads.toSorted()).toEqual(["assets/a.png", "assets/new.png"]);
    expect(summary.deletes).toEqual(["docs/c.md"]);
    expect(workspace.stored("docs/c.md")).toBeUndefined();
    expect(workspace.stored("assets/a.png")).toBe("A2");
  });

  test("the manifest in the store has the fields that the Python studio reads", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    const { manifest } = JSON.parse(manifestText(workspace));
    expect(Object.keys(manifest)).toEqual(["name", "root", "created_at", "entries"]);
    expect(Object.keys(manifest.entries["assets/a.png"])).toEqual(["path", "size", "mtime", "sha256"]);
    const cached = JSON.parse(readFileSync(cacheFile(workspace), "utf8"));
    expect(Object.keys(cached)).toEqual(["service", "name", "checksum", "manifest"]);
  });

  test("commit_manifest: false publishes but leaves the local cache alone", async () => {
    const workspace = await createWorkspace(FILES);
    const { committed } = await workspace.run({ commit_manifest: false });
    expect(committed).toBe(false);
    expect(existsSync(cacheFile(workspace))).toBe(false);
    expect((await workspace.dryRun()).plan.uploads).toEqual([]);
  });
});

describe("a run with errors by file", () => {
  test("the rest goes on, nothing is published, and the next run sends only what is missing", async () => {
    const workspace = await createWorkspace(FILES);
    workspace.wrap = failing("b.png");
    const partial = await workspace.run();
    expect(partial.summary.status).toBe("partial");
    expect(partial.summary.errors).toEqual([
      { action: "upload", path: "assets/b.png", error: "scripted", code: "provider_denied" },
    ]);
    expect(partial.committed).toBe(false);
    expect(workspace.store.objects.has("manifests/default.json")).toBe(false);
    expect(existsSync(cacheFile(workspace))).toBe(false);

    workspace.wrap = (provider) => provider;
    expect(paths((await workspace.dryRun()).plan.uploads)).toEqual(["assets/b.png"]);
    const { summary } = await workspace.run();
    expect(summary).toMatchObject({ status: "ok", uploads: ["assets/b.png"] });
    expect((await workspace.dryRun()).plan.uploads).toEqual([]);
  });

  test("a file changed after it was hashed is not published under the old hash", async () => {
    const workspace = await createWorkspace(FILES);
    workspace.wrap = (provider) => ({
      ...provider,
      put: async (key, source, options: PutOptions) => {
        if (key === "default/docs/c.md") workspace.write("docs/c.md", "X");
        return await provider.put(key, source, options);
      },
    });
    const { summary } = await workspace.run();
    expect(summary.errors.map(({ path, code }) => [path, code])).toEqual([["docs/c.md", "content_mismatch"]]);
    expect(workspace.stored("docs/c.md")).toBeUndefined();
  });

  test("a file that vanishes after the scan fails alone", async () => {
    const workspace = await createWorkspace(FILES);
    workspace.wrap = (provider) => ({
      ...provider,
      put: async (key, source, options: PutOptions) => {
        if (key === "manifests/.default.run.json") rmSync(join(workspace.root, "docs/c.md"));
        return await provider.put(key, source, options);
      },
    });
    const { summary } = await workspace.run();
    expect(summary.errors.map(({ path, code }) => [path, code])).toEqual([["docs/c.md", "file_missing"]]);
    expect(summary.uploads).toHaveLength(3);
  });

  test("a delete that fails is tried again by the next run, and its file is in no manifest meanwhile", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    workspace.remove("docs/c.md");
    workspace.store.undeletable.add("default/docs/c.md");
    const partial = await workspace.run({ confirm_deletes: true });
    expect(partial.summary.errors.map(({ action, path }) => [action, path])).toEqual([["delete", "docs/c.md"]]);
    expect(JSON.parse(manifestText(workspace)).manifest.entries["docs/c.md"]).toBeUndefined();
    workspace.store.undeletable.clear();
    const { summary } = await workspace.run({ confirm_deletes: true });
    expect(summary).toMatchObject({ status: "ok", deletes: ["docs/c.md"] });
    expect(workspace.stored("docs/c.md")).toBeUndefined();
  });

  test("the only remote copy of a file whose new name failed to arrive is not deleted", async () => {
    const workspace = await createWorkspace({ "assets/old.png": "only copy", "docs/c.md": "C" });
    await workspace.run();
    renameSync(join(workspace.root, "assets/old.png"), join(workspace.root, "assets/new.png"));
    workspace.wrap = (provider) => ({
      ...failing("new.png")(provider),
      capabilities: { ...provider.capabilities, serverSideCopy: false },
    });
    const { summary } = await workspace.run({ confirm_deletes: true });
    expect(summary.status).toBe("partial");
    expect(summary.deletes).toEqual([]);
    expect(workspace.stored("assets/old.png")).toBe("only copy");
  });
});

describe("after a run that was cut off", () => {
  test("content that a partial run replaced is not taken for what the old manifest says", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    // The partial run puts A2 where the published manifest says A; then the user takes the change back.
    workspace.write("assets/a.png", "A2");
    workspace.write("docs/c.md", "C2");
    workspace.wrap = failing("c.md");
    expect((await workspace.run()).summary.status).toBe("partial");
    expect(workspace.stored("assets/a.png")).toBe("A2");
    workspace.wrap = (provider) => provider;
    workspace.write("assets/a.png", "A");
    workspace.write("docs/c.md", "C");
    await (await workspace.app({ clock: settledClock() })).run({ service: "s3" });
    expect(workspace.stored("assets/a.png")).toBe("A");
    expect(workspace.stored("docs/c.md")).toBe("C");
  });

  test("another machine without the journal does not trust the old manifest either", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    workspace.write("assets/a.png", "A2");
    workspace.write("docs/c.md", "C2");
    workspace.wrap = failing("c.md");
    await workspace.run();

    const other = await createWorkspace(FILES, workspace.store);
    const { summary } = await (await other.app({ clock: settledClock() })).run({ service: "s3" });
    expect(summary).toMatchObject({ status: "ok", uploads: ["assets/a.png"] });
    expect(other.stored("assets/a.png")).toBe("A");
  });

  test("a journal torn by a crash costs the torn record alone", async () => {
    const workspace = await createWorkspace(FILES);
    workspace.wrap = failing("b.png");
    await workspace.run();
    const { readdirSync, appendFileSync } = await import("node:fs");
    const folder = join(workspace.root, "cache/cloud/journal");
    const destination = readdirSync(folder)[0] ?? "";
    appendFileSync(join(folder, destination, "default.jsonl"), '\n{"path":"assets/b.png","si');
    expect(paths((await workspace.dryRun()).plan.uploads)).toEqual(["assets/b.png"]);
  });

  test("an abort in the middle publishes nothing and loses nothing", async () => {
    const workspace = await createWorkspace(
      Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`assets/${i}`, `${i}`])),
    );
    const abort = new AbortController();
    let puts = 0;
    workspace.wrap = (provider) => ({
      ...provider,
      put: async (key, source, options) => {
        if (++puts === 150) abort.abort();
        return await provider.put(key, source, options);
      },
    });
    expect(await codeOf(workspace.run({}, abort.signal))).toBe("aborted");
    expect(workspace.store.objects.has("manifests/default.json")).toBe(false);
    const arrived = [...workspace.store.objects.keys()].filter((key) => key.startsWith("default/")).length;
    expect(arrived).toBeGreaterThan(0);
    workspace.wrap = (provider) => provider;
    const { summary } = await workspace.run();
    expect(summary.status).toBe("ok");
    expect(summary.uploads).toHaveLength(301 - arrived);
  });
});

describe("what a run refuses", () => {
  test("two runs of one snapshot at once", async () => {
    const workspace = await createWorkspace(FILES);
    let inside: () => void = () => undefined;
    let goOn: () => void = () => undefined;
    const started = new Promise<void>((resolve) => (inside = resolve));
    const released = new Promise<void>((resolve) => (goOn = resolve));
    workspace.wrap = (provider) => ({
      ...provider,
      put: async (key, source, options) => {
        inside();
        await released;
        return await provider.put(key, source, options);
      },
    });
    const first = workspace.run();
    await started;
    expect(await codeOf(workspace.run())).toBe("run_in_progress");
    expect((await workspace.dryRun()).summary.status).toBe("dry_run");
    goOn();
    expect((await first).summary.status).toBe("ok");
  });

  test("emptying a folder of 100 of 150 files, until it is confirmed", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 150 }, (_, i) => [`assets/${i < 100 ? "x" : "y"}/${i}`, `${i}`]),
    );
    const workspace = await createWorkspace(many);
    await workspace.run();
    workspace.remove("assets/x");
    const { plan, summary } = await workspace.dryRun();
    expect(plan.guard).toMatchObject({ deletes: 100, more_than_half: true });
    expect(summary.guard).toEqual(plan.guard);
    expect(await codeOf(workspace.run())).toBe("delete_guard");
    expect(workspace.stored("assets/x/0")).toBe("0");
    expect((await workspace.run({ confirm_deletes: true })).summary.deletes).toHaveLength(100);
  });

  test("deleting everything under an include path that is gone, however little it is", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    workspace.remove("docs");
    expect(await codeOf(workspace.run())).toBe("delete_guard");
    expect(workspace.stored("docs/c.md")).toBe("C");
  });

  test("an include path that is gone is guarded though another one holds it", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    workspace.remove("docs");
    expect(await codeOf(workspace.run({ paths: [".", "docs", "docs/c.md"] }))).toBe("delete_guard");
    expect((await workspace.dryRun({ paths: [".", "docs"] })).plan.guard).toMatchObject({ missing_include_paths: 1 });
    expect(workspace.stored("docs/c.md")).toBe("C");
    expect((await workspace.run({ paths: [".", "docs"], confirm_deletes: true })).summary.deletes).toEqual([
      "docs/c.md",
    ]);
  });

  test("a damaged published manifest is not taken for an empty destination", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    workspace.store.write("manifests/default.json", new TextEncoder().encode('{"manifest": {"entries"'));
    expect(await codeOf(workspace.run())).toBe("remote_manifest_invalid");
    const { summary } = await workspace.dryRun();
    expect(summary.warnings[0]).toContain("remote_manifest_invalid");
  });

  test("another machine's publish during the run is not overwritten", async () => {
    const workspace = await createWorkspace(FILES);
    workspace.wrap = (provider) => ({
      ...provider,
      put: async (key, source, options) => {
        if (key === "manifests/default.json")
          workspace.store.write(key, new TextEncoder().encode('{"manifest":{"entries":{}}}'));
        return await provider.put(key, source, options);
      },
    });
    expect(await codeOf(workspace.run())).toBe("manifest_conflict");
    expect(manifestText(workspace)).toBe('{"manifest":{"entries":{}}}');
  });
});

describe("scope", () => {
  test("paths: nothing outside them is planned or dropped from the manifest", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    workspace.write("assets/a.png", "A2");
    workspace.write("docs/c.md", "C2");
    const { plan, summary } = await workspace.run({ paths: ["assets"] });
    expect(summary.uploads).toEqual(["assets/a.png"]);
    expect(plan.retained).toBe(2);
    const entries = JSON.parse(manifestText(workspace)).manifest.entries;
    expect(Object.keys(entries)).toEqual(["assets/a.png", "assets/b.png", "config/comfyvn.json", "docs/c.md"]);
    expect(paths((await workspace.dryRun()).plan.uploads)).toEqual(["docs/c.md"]);
  });

  test("security 13: the vault never leaves, even when its folder is named", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run({ paths: ["config"] });
    expect([...workspace.store.objects.keys()].filter((key) => key.includes("secrets"))).toEqual([]);
    expect(manifestText(workspace)).not.toContain("secrets");
  });

  test("a vault that another tool uploaded is left alone, said, and in our manifest no more", async () => {
    const workspace = await createWorkspace(FILES);
    await workspace.run();
    const document = JSON.parse(manifestText(workspace));
    const entry = document.manifest.entries["docs/c.md"];
    document.manifest.entries["config/comfyvn.secrets.json"] = { ...entry, path: "config/comfyvn.secrets.json" };
    workspace.store.write("manifests/default.json", new TextEncoder().encode(JSON.stringify(document)));
    workspace.store.write("default/config/comfyvn.secrets.json", new TextEncoder().encode("C"));
    const { summary, plan } = await workspace.run();
    expect(plan.deletes).toEqual([]);
    expect(summary.warnings[0]).toContain("config/comfyvn.secrets.json");
    expect(manifestText(workspace)).not.toContain("secrets");
    expect(workspace.stored("config/comfyvn.secrets.json")).toBe("C");
  });
});

describe("moves", () => {
  test("a renamed folder sends no content byte", async () => {
    const workspace = await createWorkspace(
      Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`assets/x/${i}`, `file ${i}`])),
    );
    await workspace.run();
    renameSync(join(workspace.root, "assets/x"), join(workspace.root, "assets/y"));
    const { plan } = await workspace.dryRun();
    expect(plan.uploads[0]).toMatchObject({ path: "assets/y/0", source: "assets/x/0" });
    expect(plan.bytes_to_upload).toBe(0);
    const { summary } = await workspace.run({ confirm_deletes: true });
    expect(summary).toMatchObject({ status: "ok", bytes_uploaded: 0 });
    expect(workspace.stored("assets/y/7")).toBe("file 7");
    expect(workspace.stored("assets/x/7")).toBeUndefined();
  });

  test("a source that changed behind our back is not copied: the content is sent", async () => {
    const workspace = await createWorkspace({ "assets/x": "content" });
    await workspace.run();
    workspace.store.write("default/assets/x", new TextEncoder().encode("tampered"));
    workspace.write("assets/y", "content");
    const { summary } = await workspace.run();
    expect(summary).toMatchObject({ status: "ok", bytes_uploaded: 7 });
    expect(workspace.stored("assets/y")).toBe("content");
  });
});

test("a file replaced by a folder of its name arrives where keys are paths", async () => {
  const workspace = await createWorkspace({ "assets/thing": "file" });
  workspace.wrap = (provider) => ({ ...provider, capabilities: { ...provider.capabilities, hierarchicalKeys: true } });
  await workspace.run();
  workspace.remove("assets/thing");
  workspace.write("assets/thing/inside", "folder");
  const order: string[] = [];
  workspace.wrap = (provider) => ({
    ...provider,
    capabilities: { ...provider.capabilities, hierarchicalKeys: true },
    put: (key, source, options) => {
      order.push(`put ${key}`);
      return provider.put(key, source, options);
    },
    delete: (keys, options) => {
      order.push(`delete ${keys.join()}`);
      return provider.delete(keys, options);
    },
  });
  await workspace.run();
  expect(order.filter((step) => step.includes("thing"))).toEqual([
    "delete default/assets/thing",
    "put default/assets/thing/inside",
  ]);
});

test("events tell the plan, the progress and the end, with counts", async () => {
  const workspace = await createWorkspace(FILES);
  await workspace.dryRun();
  await workspace.run();
  const kinds = workspace.events.map((event) => event.type);
  expect(kinds).toContain("sync.dry_run");
  expect(kinds).toContain("sync.progress");
  expect(workspace.events.findLast((event) => event.type === "sync.run")).toMatchObject({
    status: "ok",
    uploads: 4,
    deletes: 0,
  });
});
