/** Requests that a store still carries out after the run that sent them was cut off. */
import { expect, test } from "bun:test";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { SyncError } from "../../src/core/errors.ts";
import type { Provider } from "../../src/providers/contract.ts";
import { countListings, published, stored } from "../support/mirror-contents.ts";
import { codeOf, createWorkspace, type Workspace } from "../support/workspace.ts";

const SETTLE_MS_MIN = 5_000;

/** Sleeps for as long as a run waits for a store to settle take no time and are told. */
function settlingClock(onSettle: () => Promise<void> | void): Clock {
  return {
    now: () => systemClock.now(),
    sleep: async (ms, signal) => {
      // A lease is renewed after half a minute; such a sleep is ended by its signal.
      if (ms < SETTLE_MS_MIN || ms > 20_000) return await systemClock.sleep(ms, signal);
      await onSettle();
    },
  };
}

const run = async (workspace: Workspace, clock: Clock) =>
  await (await workspace.app({ clock })).run({ service: "s3", paths: ["assets"], confirm_deletes: true });

/** Ends the run that makes a call of `verb` for the file, as an abort does; the store gets to it when `later` is called. */
async function cutOff(workspace: Workspace, verb: "put" | "delete", path: string): Promise<() => Promise<void>> {
  const controller = new AbortController();
  let later: (() => Promise<void>) | undefined;
  const leave = (call: () => Promise<unknown>): never => {
    later = async () => void (await call());
    controller.abort();
    throw new SyncError("aborted", "scripted");
  };
  const key = `default/${path}`;
  workspace.wrap = (provider: Provider) => ({
    ...provider,
    put: async (to, source, { signal: _, ...options }) => {
      if (verb !== "put" || to !== key) return await provider.put(to, source, options);
      const { size } = source;
      const bytes = await (await source.open()).read(0, size);
      const kept = { size, open: async () => ({ read: async () => bytes, close: async () => undefined }) };
      return leave(() => provider.put(to, kept, options));
    },
    delete: async (keys) =>
      verb === "delete" && keys.includes(key) ? leave(() => provider.delete(keys)) : await provider.delete(keys),
  });
  expect(await codeOf(workspace.run({ paths: ["assets"], confirm_deletes: true }, controller.signal))).toBe("aborted");
  workspace.wrap = (provider) => provider;
  if (later === undefined) throw new Error("the run was not cut off");
  return later;
}

test("a file that is back is not lost to the delete of a cancelled run that the store was still at", async () => {
  const workspace = await createWorkspace({ "assets/a": "A", "assets/b": "B" });
  await workspace.run({ paths: ["assets"] });
  workspace.remove("assets/b");
  const late = await cutOff(workspace, "delete", "assets/b");
  workspace.write("assets/b", "B");
  const deletes: Promise<void>[] = [];
  const first = await run(
    workspace,
    settlingClock(() => void deletes.push(late())),
  );
  expect(deletes).toHaveLength(1);
  expect(first.summary.errors.map(({ path }) => path)).toEqual(["assets/b"]);
  expect(published(workspace)).not.toContain("assets/b");

  expect(
    (
      await run(
        workspace,
        settlingClock(() => undefined),
      )
    ).summary,
  ).toMatchObject({ status: "ok" });
  expect(published(workspace)).toEqual(stored(workspace));
  expect(stored(workspace)).toHaveLength(2);
});

test("a clock that is put back meanwhile does not make a run wait for an hour", async () => {
  const workspace = await createWorkspace({ "assets/a": "A", "assets/b": "B" });
  await workspace.run({ paths: ["assets"] });
  workspace.remove("assets/b");
  await cutOff(workspace, "delete", "assets/b");
  workspace.write("assets/b", "B");
  const slept: number[] = [];
  let shiftMs = 0;
  const clock: Clock = {
    now: () => systemClock.now() + shiftMs,
    sleep: async (ms, signal) => {
      // The lease's own sleep is ended by its signal.
      if (ms === 30_000) return await systemClock.sleep(ms, signal);
      slept.push(ms);
    },
  };
  workspace.wrap = (provider) => ({
    ...provider,
    put: async (key, source, options) => {
      if (key === "default/assets/b") shiftMs = -3_600_000;
      return await provider.put(key, source, options);
    },
  });
  expect((await run(workspace, clock)).summary.status).toBe("ok");
  expect([shiftMs, slept]).toEqual([-3_600_000, [10_000]]);
});

test("a file written again is not published while the store holds what a cancelled run had sent", async () => {
  const workspace = await createWorkspace({ "assets/a": "A", "assets/b": "B" });
  await workspace.run({ paths: ["assets"] });
  workspace.write("assets/b", "B, second");
  const late = await cutOff(workspace, "put", "assets/b");
  workspace.write("assets/b", "B, the third");
  workspace.write("assets/c", "C");
  workspace.wrap = (provider) => ({
    ...provider,
    put: async (key, source, options) => {
      const info = await provider.put(key, source, options);
      if (key === "default/assets/b") await late();
      return info;
    },
  });
  const first = await workspace.run({ paths: ["assets"] });
  expect(first.summary.errors.map(({ path }) => path)).toEqual(["assets/b"]);
  expect(first.summary.uploads).toEqual(["assets/c"]);

  workspace.wrap = (provider) => provider;
  expect((await workspace.run({ paths: ["assets"] })).summary).toMatchObject({ status: "ok", uploads: ["assets/b"] });
  expect(published(workspace)).toEqual(stored(workspace));
});

for (const [what, paths] of [
  ["that is as it was again", ["assets"]],
  ["that the next run is not about", ["docs"]],
] as const) {
  test(`a file ${what} is not published as such while a cancelled run's request may still change it`, async () => {
    const workspace = await createWorkspace({ "assets/a": "A", "assets/b": "B", "docs/c": "C" });
    const all = { service: "s3" as const, paths: ["assets", "docs"] };
    await workspace.run(all);
    workspace.write("assets/b", "B, second");
    const late = await cutOff(workspace, "put", "assets/b");
    workspace.write("assets/b", "B");
    let puts = 0;
    const clock = settlingClock(async () => {
      puts++;
      await late();
    });
    const first = await (await workspace.app({ clock })).run({ service: "s3", paths: [...paths] });
    expect(puts).toBe(1);
    expect(first.summary.errors).toMatchObject([{ path: "assets/b", code: "content_mismatch" }]);

    const calm = settlingClock(() => undefined);
    expect((await (await workspace.app({ clock: calm })).run(all)).summary.status).toBe("ok");
    expect(published(workspace)).toEqual(stored(workspace));
    expect(workspace.stored("assets/b")).toBe("B");
  });
}

test("a file removed meanwhile is not back for good by a cancelled run's request that comes last", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  await workspace.run({ paths: ["assets"] });
  workspace.write("assets/b", "B");
  const late = await cutOff(workspace, "put", "assets/b");
  workspace.remove("assets/b");
  let puts = 0;
  const clock = settlingClock(async () => {
    puts++;
    await late();
  });
  const first = await run(workspace, clock);
  expect(puts).toBe(1);
  expect(first.summary.errors).toMatchObject([{ action: "delete", path: "assets/b", code: "content_mismatch" }]);
  const calm = settlingClock(() => undefined);
  expect((await run(workspace, calm)).summary).toMatchObject({ status: "ok", deletes: ["assets/b"] });
  expect(stored(workspace)).toEqual(published(workspace));
  expect(workspace.stored("assets/b")).toBeUndefined();
});

test("a file stored again is not left to a cancelled run's request that a still later run would meet", async () => {
  const workspace = await createWorkspace({ "assets/a": "A", "assets/b": "B" });
  const late = await cutOff(workspace, "put", "assets/b");
  let puts = 0;
  const clock = settlingClock(async () => {
    puts++;
    await late();
  });
  await run(workspace, clock);
  // Before the run had ended: what another one stores after it is safe from that request.
  expect(puts).toBe(1);
  const calm = settlingClock(() => undefined);
  expect((await run(workspace, calm)).summary.status).toBe("ok");
  expect(published(workspace)).toEqual(stored(workspace));
});

/** How often the run waits that comes after one of whose files the upload failed so. */
async function waitsAfter(failure: SyncError): Promise<number> {
  const workspace = await createWorkspace({ "assets/a": "A", "assets/b": "B" });
  workspace.wrap = (provider) => ({
    ...provider,
    put: async (key, source, options) => {
      if (key === "default/assets/b") throw failure;
      return await provider.put(key, source, options);
    },
  });
  expect((await workspace.run({ paths: ["assets"] })).summary.status).toBe("partial");
  workspace.wrap = (provider) => provider;
  let waits = 0;
  const clock = settlingClock(() => void waits++);
  expect((await run(workspace, clock)).summary).toMatchObject({ status: "ok", uploads: ["assets/b"] });
  return waits;
}

test("after a run of which every request was answered the next one waits for nothing", async () => {
  expect(await waitsAfter(new SyncError("provider_denied", "scripted"))).toBe(0);
});

test("but after one of which a request stayed without an answer it does wait", async () => {
  // Not tried again: the store asks for more patience than a run has.
  const unanswered = { retryable: true, retryAfterMs: 3_600_000 };
  expect(await waitsAfter(new SyncError("provider_unreachable", "scripted", unanswered))).toBe(1);
});

test("a run that follows none that was cut off waits for nothing and lists nothing", async () => {
  const workspace = await createWorkspace({ "assets/a": "A", "assets/b": "B" });
  let settled = 0;
  const clock = settlingClock(() => void settled++);
  const listings = countListings(workspace);
  await run(workspace, clock);
  workspace.remove("assets/b");
  await run(workspace, clock);
  workspace.write("assets/b", "B");
  await run(workspace, clock);
  expect([settled, listings()]).toEqual([0, 0]);
});
