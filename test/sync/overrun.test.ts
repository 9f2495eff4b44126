/** A run that goes on although another machine has taken the snapshot over: its clock is wrong, or it was asleep. */
import { expect, test } from "bun:test";
import { SyncError } from "../../src/core/errors.ts";
import { published, stored } from "../support/mirror-contents.ts";
import { settledClock } from "../support/settled-clock.ts";
import { codeOf, createWorkspace, type Workspace } from "../support/workspace.ts";

/** For this clock every lease of a machine with the right time has long run out. */
const ahead = settledClock(3_600_000);

const runAhead = async (workspace: Workspace) =>
  await (await workspace.app({ clock: ahead })).run({ service: "s3", confirm_deletes: true });

/** Two workspaces of one mirror; `meanwhile` happens when `a` is about to store its `assets/x`. */
async function overrun(meanwhile: (b: Workspace) => Promise<void>) {
  const a = await createWorkspace({ "assets/x": "x", "assets/y": "y" });
  await a.run();
  const b = await createWorkspace({ "assets/x": "x", "assets/y": "y" }, a.store);
  a.write("assets/x", "of a");
  b.write("assets/y", "of b");
  let once = 0;
  a.wrap = (provider) => ({
    ...provider,
    put: async (key, source, options) => {
      if (key === "default/assets/x" && once++ === 0) await meanwhile(b);
      return await provider.put(key, source, options);
    },
  });
  return { a, b };
}

test("what it stored after the other one had published is not taken for what was published", async () => {
  const { a, b } = await overrun(async (other) => {
    expect((await runAhead(other)).summary.status).toBe("ok");
  });
  expect(await codeOf(a.run())).toBe("manifest_conflict");
  expect(published(b)).not.toEqual(stored(b));
  expect((await runAhead(b)).summary).toMatchObject({ status: "ok", uploads: ["assets/x"] });
  expect(published(b)).toEqual(stored(b));
  expect(b.stored("assets/x")).toBe("x");
});

test("nor when it ends with a file that failed and so does not come to publish", async () => {
  const { a, b } = await overrun(async (other) => {
    expect((await runAhead(other)).summary.status).toBe("ok");
  });
  a.write("assets/z", "z");
  const overruns = a.wrap;
  a.wrap = (provider) => {
    const inner = overruns(provider);
    return {
      ...inner,
      put: async (key, source, options) => {
        if (key === "default/assets/z") throw new SyncError("provider_denied", "scripted");
        return await inner.put(key, source, options);
      },
    };
  };
  expect((await a.run()).summary).toMatchObject({ status: "partial", uploads: ["assets/x"] });
  await runAhead(b);
  expect(published(b)).toEqual(stored(b));
});

test("nor when the other one ends after it, whose end leaves the first one's marker alone", async () => {
  const held = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let ending: Promise<unknown> = Promise.resolve();
  const { a, b } = await overrun(async (other) => {
    other.wrap = (provider) => ({
      ...provider,
      put: async (key, source, options) => {
        const info = await provider.put(key, source, options);
        if (key !== "manifests/default.json") return info;
        held.resolve();
        await goOn.promise;
        return info;
      },
    });
    ending = runAhead(other);
    await held.promise;
  });
  expect(await codeOf(a.run())).toBe("manifest_conflict");
  goOn.resolve();
  expect(await ending).toMatchObject({ summary: { status: "ok" } });
  b.wrap = (provider) => provider;
  await runAhead(b);
  expect(published(b)).toEqual(stored(b));
});
