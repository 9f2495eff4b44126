/** Objects that a run was about to delete, or had just written, when it was cut off and another machine came next. */
import { describe, expect, test } from "bun:test";
import { MemoryStore } from "../../src/providers/memory/memory-store.ts";
import { codeOf, createWorkspace, type Workspace } from "../support/workspace.ts";

interface Machines {
  readonly store: MemoryStore;
  /** Mirrors `assets`. */
  readonly first: Workspace;
  /** Mirrors `docs`. */
  readonly second: Workspace;
}

async function machines(): Promise<Machines> {
  const store = new MemoryStore();
  const first = await createWorkspace({ "assets/a.png": "A", "assets/b.png": "B" }, store);
  const second = await createWorkspace({ "docs/c.md": "C" }, store);
  await first.run({ paths: ["assets"] });
  await second.run({ paths: ["docs"] });
  return { store, first, second };
}

/** A run of `workspace` that ends at its first delete, as if its process had. */
async function runUntilDelete(workspace: Workspace): Promise<void> {
  const controller = new AbortController();
  workspace.wrap = (provider) => ({
    ...provider,
    delete: async (keys, options) => {
      if (!keys.some((key) => key.includes("/assets/"))) return await provider.delete(keys, options);
      controller.abort();
      return await provider.delete(keys, { signal: controller.signal });
    },
  });
  expect(await codeOf(workspace.run({ paths: ["assets"] }, controller.signal))).toBe("aborted");
  workspace.wrap = (provider) => provider;
}

const objects = ({ store }: Machines) =>
  [...store.objects.keys()].filter((key) => key.startsWith("default/")).toSorted();

const named = ({ store }: Machines) => {
  const text = new TextDecoder().decode(store.objects.get("manifests/default.json")?.bytes);
  return Object.keys((JSON.parse(text) as { manifest: { entries: object } }).manifest.entries);
};

describe("cut off by one machine, followed by a run of another", () => {
  test("a delete is still carried out by the first machine's next run", async () => {
    const both = await machines();
    both.first.remove("assets/b.png");
    await runUntilDelete(both.first);
    both.second.write("docs/d.md", "D");
    await both.second.run({ paths: ["docs"] });
    expect(named(both)).toEqual(["assets/a.png", "docs/c.md", "docs/d.md"]);

    expect((await both.first.run({ paths: ["assets"] })).summary.deletes).toEqual(["assets/b.png"]);
    expect(objects(both)).toEqual(["default/assets/a.png", "default/docs/c.md", "default/docs/d.md"]);
  });

  test("a file that had arrived and is gone since does not stay in the store", async () => {
    const both = await machines();
    both.first.write("assets/new.png", "N");
    both.first.remove("assets/b.png");
    await runUntilDelete(both.first);
    expect(objects(both)).toContain("default/assets/new.png");
    await both.second.run({ paths: ["docs"] });

    both.first.remove("assets/new.png");
    await both.first.run({ paths: ["assets"] });
    expect(objects(both)).toEqual(["default/assets/a.png", "default/docs/c.md"]);
    expect(named(both)).toEqual(["assets/a.png", "docs/c.md"]);
  });

  test("a file that had arrived is not sent again", async () => {
    const both = await machines();
    both.first.write("assets/new.png", "N");
    both.first.remove("assets/b.png");
    await runUntilDelete(both.first);
    await both.second.run({ paths: ["docs"] });
    expect((await both.first.run({ paths: ["assets"] })).summary.uploads).toEqual([]);
    expect(named(both)).toEqual(["assets/a.png", "assets/new.png", "docs/c.md"]);
  });

  test("the other machine's further runs find nothing to do and write nothing", async () => {
    const both = await machines();
    both.first.remove("assets/b.png");
    await runUntilDelete(both.first);
    await both.second.run({ paths: ["docs"] });
    const before = new Map([...both.store.objects].map(([key, { version }]) => [key, version]));
    const again = await both.second.run({ paths: ["docs"] });
    expect(again.summary).toMatchObject({ status: "ok", uploads: [], deletes: [] });
    expect(new Map([...both.store.objects].map(([key, { version }]) => [key, version]))).toEqual(before);
  });
});
