import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { SyncError } from "../../src/core/errors.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { FileStat, Platform, QuickStat } from "../../src/platform/contract.ts";
import { createWorkspace } from "../support/workspace.ts";

/** A platform that tells of the file at `path` what it told first, as when it is written to through a memory map. */
function unmoved(path: string): Platform {
  const platform = bunPlatform();
  let glance: QuickStat | undefined;
  let stat: FileStat | undefined;
  const { glances: _, ...tree } = platform.tree;
  return {
    ...platform,
    tree: {
      ...tree,
      glance: (native) => (native === path && glance !== undefined ? glance : tree.glance(native)),
      open: (native, options) => {
        const file = tree.open(native, options);
        if (native !== path) return file;
        const first = (glance ??= file.glance());
        const firstStat = (stat ??= file.stat());
        return { ...file, stat: () => firstStat, glance: () => first };
      },
    },
  };
}

/** Ahead of the file system's: everything was written long before it is hashed. */
const clock: Clock = { ...systemClock, now: () => systemClock.now() + 3_600_000 };

test("a file whose hash of the index turns out to be wrong is hashed anew by the next run", async () => {
  const workspace = await createWorkspace({ "assets/a.bin": "old" });
  const file = join(workspace.root, "assets/a.bin");
  const platform = unmoved(file);
  const run = async () => (await (await workspace.app({ platform, clock })).run({ service: "s3" })).summary;

  workspace.wrap = (provider) => ({
    ...provider,
    put: async (key, source, options) => {
      if (key.endsWith("a.bin")) throw new SyncError("provider_denied", "scripted");
      return await provider.put(key, source, options);
    },
  });
  expect((await run()).errors).toMatchObject([{ code: "provider_denied" }]);
  workspace.wrap = (provider) => provider;

  writeFileSync(file, "new");
  expect((await run()).errors).toMatchObject([{ path: "assets/a.bin", code: "content_mismatch" }]);
  expect(await run()).toMatchObject({ status: "ok", uploads: ["assets/a.bin"] });
  expect(workspace.stored("assets/a.bin")).toBe("new");
});
