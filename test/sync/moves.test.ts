/** Renames inside a store that has them, and digests that it tells by itself. */
import { expect, test } from "bun:test";
import type { Capabilities, Provider } from "../../src/providers/contract.ts";
import { openMemoryProvider } from "../../src/providers/memory/memory-provider.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

/** The workspace's store with more capabilities; the verbs that were called, `move default/a default/b`. */
function enrich(workspace: Workspace, capabilities: Partial<Capabilities>): string[] {
  const calls: string[] = [];
  workspace.wrap = () => {
    const provider = openMemoryProvider({ store: workspace.store, capabilities });
    const told: Provider = {
      ...provider,
      copy: (from, to, options) => {
        calls.push(`copy ${from} ${to}`);
        return provider.copy(from, to, options);
      },
      delete: (keys, options) => {
        calls.push(...keys.filter((key) => key.startsWith("default/")).map((key) => `delete ${key}`));
        return provider.delete(keys, options);
      },
    };
    const move = provider.move?.bind(provider);
    if (move === undefined) return told;
    return {
      ...told,
      move: (from, to, options) => {
        calls.push(`move ${from} ${to}`);
        return move(from, to, options);
      },
    };
  };
  return calls;
}

test("a file that has another name now is renamed, and not copied and deleted", async () => {
  const workspace = await createWorkspace({ "assets/a": "A", "assets/b": "B" });
  const calls = enrich(workspace, { serverSideMove: true });
  await workspace.run();
  workspace.remove("assets/a");
  workspace.write("assets/c", "A");
  const { summary } = await workspace.run();
  expect(summary).toMatchObject({ status: "ok", uploads: ["assets/c"], deletes: ["assets/a"], bytes_uploaded: 0 });
  expect(calls).toEqual(["move default/assets/a default/assets/c"]);
  expect([workspace.stored("assets/a"), workspace.stored("assets/c")]).toEqual([undefined, "A"]);
  expect((await workspace.dryRun()).plan).toMatchObject({ files_to_upload: 0, files_to_delete: 0 });
});

test("content that is wanted under two new names is copied to both before it is deleted", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  const calls = enrich(workspace, { serverSideMove: true });
  await workspace.run();
  workspace.remove("assets/a");
  workspace.write("assets/b", "A");
  workspace.write("assets/c", "A");
  await workspace.run();
  expect(calls.toSorted()).toEqual([
    "copy default/assets/a default/assets/b",
    "copy default/assets/a default/assets/c",
    "delete default/assets/a",
  ]);
  expect([workspace.stored("assets/b"), workspace.stored("assets/c")]).toEqual(["A", "A"]);
});

test("a file whose content stays under its old name too is copied", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  const calls = enrich(workspace, { serverSideMove: true });
  await workspace.run();
  workspace.write("assets/b", "A");
  await workspace.run();
  expect(calls).toEqual(["copy default/assets/a default/assets/b"]);
  expect([workspace.stored("assets/a"), workspace.stored("assets/b")]).toEqual(["A", "A"]);
});

test("entries without a version are believed as far as the store's own digests bear them out, and published so", async () => {
  const workspace = await createWorkspace({ "assets/a": "A", "assets/b": "B", "assets/c": "C" });
  enrich(workspace, { listsSha256: true });
  await workspace.run();
  const key = "manifests/default.json";
  const document = JSON.parse(new TextDecoder().decode(workspace.store.objects.get(key)?.bytes)) as Record<
    string,
    unknown
  >;
  // As the Python studio publishes: without our record.
  workspace.store.write(key, new TextEncoder().encode(JSON.stringify({ manifest: document["manifest"] })));
  workspace.store.write("default/assets/b", new TextEncoder().encode("other"));
  workspace.store.objects.delete("default/assets/c");
  const { summary } = await workspace.run();
  expect(summary).toMatchObject({ status: "ok", uploads: ["assets/b", "assets/c"] });
  expect([workspace.stored("assets/b"), workspace.stored("assets/c")]).toEqual(["B", "C"]);
  const published = JSON.parse(new TextDecoder().decode(workspace.store.objects.get(key)?.bytes)) as {
    comfyvn_sync: { versions: Record<string, string> };
  };
  expect(Object.keys(published.comfyvn_sync.versions)).toContain("assets/a");
});
