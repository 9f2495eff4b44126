/** What Drive does to a client, one thing at a time, without the retries of a run. */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { memoryRecords } from "../../../src/providers/conformance/memory-records.ts";
import { someBytes, sourceOf } from "../../../src/providers/conformance/sources.ts";
import type { Provider, PutOptions } from "../../../src/providers/contract.ts";
import type { DriveFake } from "../../fakes/drive/drive-fake.ts";
import { type DriveFault, DriveFaultScript, type FaultTarget } from "../../fakes/drive/drive-faults.ts";
import { startFake } from "../../fakes/start-fake.ts";
import { KIB, keysOf, openOn, put, textOf } from "./drive-setup.ts";

function once(fake: DriveFake, on: FaultTarget, fault: DriveFault): void {
  fake.script = new DriveFaultScript([{ on, nth: 1, fault }]);
}

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "no error",
    (error: unknown) => error,
  );
}

function objectsIn(fake: DriveFake): string[] {
  return [...fake.store.childrenOf(fake.drive.id)].filter(({ trashed }) => !trashed).map(({ name }) => name);
}

describe("a put whose answer is lost", () => {
  const faults: readonly DriveFault[] = [
    { kind: "server_error", status: 500, when: "after", body: "json" },
    { kind: "reset", when: "after" },
  ];
  for (const fault of faults) {
    test(`makes no second file when it is repeated (${fault.kind})`, async () => {
      const fake = await startFake();
      const provider = openOn(fake);
      once(fake, "files.create.multipart", fault);
      const error = await failure(put(provider, "s/a", "A"));
      // fetch repeats a request by itself when a kept connection breaks; then the put has succeeded.
      if (error !== "no error") expect(error).toMatchObject({ retryable: true });
      fake.script.assertAllFired();
      await put(provider, "s/a", "A");
      expect(objectsIn(fake)).toEqual(["a"]);
      expect(await textOf(openOn(fake), "s/a")).toBe("A");
    });
  }

  test("and that is repeated with other content ends with that, in one file", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    once(fake, "files.create.multipart", { kind: "server_error", status: 503, when: "after", body: "html" });
    await failure(put(provider, "s/a", "A"));
    await put(provider, "s/a", "B");
    expect(objectsIn(fake)).toEqual(["a"]);
    expect(await textOf(openOn(fake), "s/a")).toBe("B");
  });

  test("of a move is found to have moved", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    const { version } = await put(provider, "s/a", "A");
    once(fake, "files.update", { kind: "server_error", status: 500, when: "after", body: "json" });
    const move = () => provider.move?.("s/a", "s/b", { ifVersion: version });
    expect(await failure(Promise.resolve(move()))).toMatchObject({ code: "provider_unavailable" });
    expect(await move()).toMatchObject({ key: "s/b", version });
    expect(await keysOf(openOn(fake), "s/")).toEqual(["s/b"]);
  });

  test("of a move over another file leaves none of the replaced one", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    const { version } = await put(provider, "s/a", "A");
    await put(provider, "s/b", "replaced");
    once(fake, "files.update", { kind: "server_error", status: 500, when: "after", body: "json" });
    const move = () => provider.move?.("s/a", "s/b", { ifVersion: version });
    expect(await failure(Promise.resolve(move()))).toMatchObject({ code: "provider_unavailable" });
    expect(await move()).toMatchObject({ key: "s/b", version });
    fake.script.assertAllFired();
    expect(objectsIn(fake)).toEqual(["b"]);
  });

  test("of the removal of a replaced file leaves none when the copy is repeated", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    const { version } = await put(provider, "s/a", "A");
    await put(provider, "s/b", "replaced");
    once(fake, "files.delete", { kind: "server_error", status: 500, when: "before", body: "json" });
    const copy = () => provider.copy("s/a", "s/b", { ifVersion: version });
    expect(await failure(copy())).toMatchObject({ code: "provider_unavailable" });
    expect(await copy()).toMatchObject({ key: "s/b" });
    fake.script.assertAllFired();
    expect(objectsIn(fake).toSorted()).toEqual(["a", "b"]);
    expect(await textOf(openOn(fake), "s/b")).toBe("A");
  });
});

describe("damage on the way", () => {
  test("of a new file removes it, of an old one is told so that it is sent again", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    const damaged = { code: "content_mismatch", retryable: true };
    once(fake, "files.create.multipart", { kind: "corrupt_upload" });
    expect(await failure(put(provider, "s/a", "A"))).toMatchObject(damaged);
    expect(objectsIn(fake)).toEqual([]);
    await put(provider, "s/a", "A");
    once(fake, "files.update.multipart", { kind: "corrupt_upload" });
    expect(await failure(put(provider, "s/a", "B"))).toMatchObject(damaged);
    await put(provider, "s/a", "B");
    expect(await textOf(openOn(fake), "s/a")).toBe("B");
    expect(objectsIn(fake)).toEqual(["a"]);
  });

  test("of a download is noticed before a byte is given out", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    await put(provider, "s/a", "A".repeat(1_000));
    once(fake, "files.download", { kind: "corrupt_download" });
    expect(await textOf(provider, "s/a")).toBe("A".repeat(1_000));
    fake.script.assertAllFired();
  });
});

describe("deleting", () => {
  test("goes to the trash where the account may not delete for good, and asks only once", async () => {
    const fake = await startFake();
    fake.drive.members.set(fake.account.email, "fileOrganizer");
    const provider = openOn(fake);
    for (const name of ["a", "b", "c"]) await put(provider, `s/${name}`, name);
    const outcomes = await provider.delete(["s/a", "s/b", "s/c"]);
    expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    expect(await keysOf(openOn(fake), "s/")).toEqual([]);
    expect([...fake.store.childrenOf(fake.drive.id)].every(({ trashed }) => trashed)).toBe(true);
    await put(provider, "s/d", "d");
    fake.log.clear();
    await provider.delete(["s/d"]);
    expect(fake.log.summary()).toEqual({ "files.update": 1 });
  });

  test("is refused in words where the account may not even use the trash", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    await put(provider, "s/a", "A");
    fake.drive.members.set(fake.account.email, "writer");
    expect(await failure(provider.delete(["s/a"]))).toMatchObject({
      code: "provider_denied",
      message: expect.stringContaining("content manager"),
    });
    expect(await textOf(provider, "s/a")).toBe("A");
  });
});

describe("limits of Drive", () => {
  for (const reason of [
    "storageQuotaExceeded",
    "teamDriveFileLimitExceeded",
    "numChildrenInNonRootLimitExceeded",
  ] as const) {
    test(`${reason} ends all uploads at once, and deletes still free room`, async () => {
      const fake = await startFake();
      const provider = openOn(fake);
      await put(provider, "s/old", "old");
      once(fake, "files.create.multipart", { kind: "refusal", reason });
      expect(await failure(put(provider, "s/a", "A"))).toMatchObject({ code: "disk_full", details: { reason } });
      fake.log.clear();
      expect(await failure(put(provider, "s/b", "B"))).toMatchObject({ code: "disk_full" });
      expect(fake.log.writes).toBe(0);
      expect(await provider.delete(["s/old"])).toEqual([{ key: "s/old" }]);
    });
  }

  test("the day's quota ends everything at once", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    once(fake, "any", { kind: "refusal", reason: "dailyLimitExceeded" });
    expect(await failure(provider.stat("s/a"))).toMatchObject({ code: "provider_denied" });
    fake.log.clear();
    expect(await failure(provider.stat("s/b"))).toMatchObject({ code: "provider_denied" });
    expect(fake.log.calls).toBe(0);
  });

  test("a service account owns no room in somebody's My Drive, and is told where it has some", async () => {
    const fake = await startFake();
    const folder = fake.addSharedFolder("shared", "writer");
    const provider = openOn(fake, { settings: { parent_id: folder.id } });
    expect(await failure(put(provider, "s/a", "A"))).toMatchObject({
      code: "disk_full",
      message: expect.stringContaining("shared drive"),
    });
  });
});

describe("a folder that cannot be used is never taken for an empty one", () => {
  async function refusedBy(fake: DriveFake, settings: Readonly<Record<string, unknown>>) {
    const provider = openOn(fake, { settings });
    const errors = [
      await failure(provider.stat("s/a")),
      await failure(keysOf(provider, "s/")),
      await failure(put(provider, "s/a", "A")),
    ];
    for (const error of errors) expect(error).toMatchObject({ code: "provider_container_missing" });
    return errors[0];
  }

  test("one that drive.file does not show, with the scope to set", async () => {
    const fake = await startFake();
    expect(await refusedBy(fake, { scopes: "drive.file" })).toMatchObject({
      message: expect.stringContaining("set scopes to drive"),
    });
    const own = fake.addFolder({ name: "own", madeBy: fake.account.app });
    const provider = openOn(fake, { settings: { scopes: "drive.file", parent_id: own.id } });
    await put(provider, "s/a", "A");
    expect(await textOf(provider, "s/a")).toBe("A");
  });

  test("one in the trash, and a file", async () => {
    const fake = await startFake();
    const folder = fake.addFolder({ name: "folder" });
    fake.store.change(folder.id, { trashed: true });
    expect(await refusedBy(fake, { parent_id: folder.id })).toMatchObject({
      message: expect.stringContaining("trash"),
    });
    const file = fake.addFile({ name: "file", content: "x" });
    expect(await refusedBy(fake, { parent_id: file.id })).toMatchObject({
      message: expect.stringContaining("not of a folder"),
    });
  });

  test("one of another shared drive than drive_id, where no search would find its files", async () => {
    const fake = await startFake();
    const folder = fake.addFolder({ name: "folder" });
    const other = fake.store.addSharedDrive("Other", [[fake.account.email, "organizer"]]);
    for (const drive_id of [other.id, "no-such-drive"]) {
      const provider = openOn(fake, { settings: { parent_id: folder.id, drive_id } });
      const calls = [() => provider.stat("s/a"), () => keysOf(provider, "s/"), () => put(provider, "s/a", "A")];
      for (const call of calls) {
        const error = await failure(call());
        expect(error).toMatchObject({ code: "provider_config" });
        expect(String(error)).toContain("drive_id");
      }
    }
    for (const parent_id of [folder.id, fake.drive.id]) {
      const provider = openOn(fake, { settings: { parent_id, drive_id: fake.drive.id } });
      await put(provider, "s/a", "A");
      expect(await keysOf(provider, "s/")).toEqual(["s/a"]);
    }
  });

  test("a search of a part of Drive's files only is an error that a repeat may help", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    await put(provider, "s/a", "A");
    once(fake, "files.list", { kind: "incomplete_search" });
    expect(await failure(keysOf(provider, "s/"))).toMatchObject({ code: "provider_error", retryable: true });
  });
});

describe("searches that lag five seconds behind", () => {
  test("hide nothing that this provider wrote, and bring nothing back that it removed", async () => {
    const fake = await startFake();
    fake.store.indexLagMs = 5_000;
    const provider = openOn(fake);
    await put(provider, "s/a", "A");
    await put(provider, "s/b", "B");
    await put(provider, "s/a", "A2");
    expect(await keysOf(provider, "s/")).toEqual(["s/a", "s/b"]);
    expect(await textOf(provider, "s/a")).toBe("A2");
    await provider.delete(["s/b"]);
    fake.clock.advance(5_000);
    fake.store.indexLagMs = 60_000;
    expect(await provider.stat("s/b")).toBeUndefined();
    await put(provider, "s/b", "B2");
    expect(objectsIn(fake).toSorted()).toEqual(["a", "b"]);
  });

  test("do not double what a recorded version leads to", async () => {
    const fake = await startFake();
    fake.store.indexLagMs = 60_000;
    const { version } = await put(openOn(fake), "s/a", "A");
    const later = openOn(fake);
    later.recall?.([["s/a", version]]);
    await put(later, "s/a", "B");
    expect(objectsIn(fake)).toEqual(["a"]);
    expect(await later.delete(["s/a"])).toEqual([{ key: "s/a" }]);
  });
});

describe("an upload in chunks", () => {
  const bytes = someBytes(1_000 * KIB, 900);

  /** A put that is aborted when it reads past `at`; its records. */
  async function cutOff(provider: Provider, at: number) {
    const records = memoryRecords();
    const controller = new AbortController();
    const source = sourceOf(bytes, { beforeRead: ({ offset }) => void (offset >= at && controller.abort()) });
    const options: Partial<PutOptions> = { resume: records, signal: controller.signal };
    const error = await failure(provider.put("s/a", source, { sha256: await sha256Of(bytes), ...options }));
    expect(error).toMatchObject({ code: "aborted" });
    return records;
  }

  async function sha256Of(of: Uint8Array<ArrayBuffer>): Promise<string> {
    const digest = await crypto.subtle.digest("SHA-256", of);
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  test("goes on in another process where Drive says that it ended, and sends nothing twice", async () => {
    const fake = await startFake();
    const records = await cutOff(openOn(fake), 512 * KIB);
    expect(JSON.stringify(records.all)).toContain("upload_id=");
    fake.log.clear();
    await put(openOn(fake), "s/a", bytes, { resume: records });
    expect(fake.log.contentBytesIn).toBe(bytes.length - 512 * KIB);
    expect(fake.log.contentBytesAgain).toBe(0);
    expect(records.all).toEqual([]);
    expect(objectsIn(fake)).toEqual(["a"]);
  });

  test("believes Drive's Range, also where less was kept than was sent, and within a chunk", async () => {
    const fake = await startFake();
    fake.script = new DriveFaultScript([
      { on: "upload.chunk", nth: 1, fault: { kind: "keep_less", bytes: 0 } },
      { on: "upload.chunk", nth: 3, fault: { kind: "keep_less", bytes: 256 * KIB } },
    ]);
    await put(openOn(fake, { limits: { chunkBytesMin: 512 * KIB } }), "s/a", bytes);
    fake.script.assertAllFired();
    expect(fake.log.contentBytesAgain).toBeLessThanOrEqual(512 * KIB + 256 * KIB);
    expect((await openOn(fake).stat("s/a"))?.size).toBe(bytes.length);
  });

  test("that Drive has lost starts anew", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    const records = await cutOff(provider, 512 * KIB);
    once(fake, "upload.status", { kind: "session_lost", status: 410 });
    await put(openOn(fake), "s/a", bytes, { resume: records });
    fake.script.assertAllFired();
    expect((await openOn(fake).stat("s/a"))?.size).toBe(bytes.length);
  });

  test("whose last answer was lost is known to be complete", async () => {
    const fake = await startFake();
    const records = memoryRecords();
    fake.script = new DriveFaultScript([
      { on: "upload.chunk", nth: 4, fault: { kind: "server_error", status: 503, when: "after", body: "html" } },
    ]);
    expect(await failure(put(openOn(fake), "s/a", bytes, { resume: records }))).toMatchObject({ retryable: true });
    fake.log.clear();
    await put(openOn(fake), "s/a", bytes, { resume: records });
    expect(fake.log.contentBytesIn).toBe(0);
    expect(records.all).toEqual([]);
    expect(objectsIn(fake)).toEqual(["a"]);
  });

  test("at another address than Drive's own is not gone on with: no token goes there", async () => {
    const [fake, other] = [await startFake(), await startFake()];
    const records = await cutOff(openOn(fake), 512 * KIB);
    const [session, ...chunks] = records.all;
    await records.clear();
    await records.add({ ...session, session_url: `${other.url}/upload/drive/v3/files?upload_id=x` });
    for (const chunk of chunks) await records.add(chunk);
    await put(openOn(fake), "s/a", bytes, { resume: records });
    expect(other.log.requests).toEqual([]);
  });

  test("of a file that another machine has given another key does not write over that", async () => {
    const fake = await startFake();
    const { version } = await put(openOn(fake), "s/a", "first");
    const records = await cutOff(openOn(fake), 512 * KIB);
    const other = openOn(fake);
    await other.move?.("s/a", "s/b", { ifVersion: version });
    await put(other, "s/a", "second");
    await put(openOn(fake), "s/a", bytes, { resume: records });
    expect(await textOf(openOn(fake), "s/b")).toBe("first");
    expect((await openOn(fake).stat("s/a"))?.size).toBe(bytes.length);
  });

  test("that was complete, of a file that another machine has given another key, does not remove that", async () => {
    const fake = await startFake();
    const records = memoryRecords();
    fake.script = new DriveFaultScript([
      { on: "upload.chunk", nth: 4, fault: { kind: "server_error", status: 503, when: "after", body: "html" } },
    ]);
    expect(await failure(put(openOn(fake), "s/a", bytes, { resume: records }))).toMatchObject({ retryable: true });
    fake.script.assertAllFired();
    const other = openOn(fake);
    const { version = "" } = (await other.stat("s/a")) ?? {};
    await other.move?.("s/a", "s/b", { ifVersion: version });
    await put(openOn(fake), "s/a", bytes, { resume: records });
    expect(await keysOf(openOn(fake), "s/")).toEqual(["s/a", "s/b"]);
  });

  test("of a file that went to the trash meanwhile makes a new one", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    const { version } = await put(provider, "s/a", "first");
    const records = await cutOff(provider, 512 * KIB);
    fake.store.change(version.split(":")[0]!, { trashed: true });
    await put(provider, "s/a", bytes, { resume: records });
    expect(objectsIn(fake)).toEqual(["a"]);
    expect((await openOn(fake).stat("s/a"))?.size).toBe(bytes.length);
  });
});

describe("writers that died holding a key", () => {
  const absent = { kind: "absent" } as const;

  /** The ticket of the next version, as a writer leaves it that is killed before it has written. */
  async function ticketOf(fake: DriveFake, key: string, writer: string | undefined): Promise<string> {
    const provider = openOn(fake, { context: writer === undefined ? {} : { writer: async () => writer } });
    const { version } = await provider.put(key, sourceOf(new TextEncoder().encode("first")), {
      sha256: "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e",
      precondition: absent,
    });
    const file = fake.store.get(version.split(":")[0]!)!;
    const id = file.appProperties.get(fake.account.app)?.get("comfyvn_next") ?? "";
    const digest = createHash("sha256")
      .update(writer ?? "somebody else")
      .digest("hex")
      .slice(0, 32);
    const keyHash = createHash("sha256").update(key).digest("hex");
    const properties = new Map([
      ["comfyvn_claim", keyHash],
      ["comfyvn_writer", digest],
    ]);
    const { parent, driveId, owner } = file;
    const content = { ...file.content!, bytes: Buffer.alloc(0) };
    fake.store.create({
      id,
      name: ".comfyvn-claim",
      parent,
      driveId,
      owner,
      content,
      mimeType: "application/octet-stream",
      madeBy: fake.account.app,
      appProperties: new Map([[fake.account.app, properties]]),
    });
    return id;
  }

  async function replace(provider: Provider, key: string): Promise<unknown> {
    const now = await provider.stat(key);
    return await failure(
      put(provider, key, "second", { precondition: { kind: "version", version: now?.version ?? "" } }),
    );
  }

  test("on another machine keep it for as long as a claim lives, and no longer", async () => {
    const fake = await startFake();
    const ticket = await ticketOf(fake, "manifests/s.json", undefined);
    const provider = openOn(fake);
    expect(await replace(provider, "manifests/s.json")).toMatchObject({ code: "precondition_failed", retryable: true });
    fake.store.change(ticket, { createdTimeMs: fake.clock.now() - 3_600_000 });
    expect(await replace(provider, "manifests/s.json")).toBe("no error");
    expect(await textOf(openOn(fake), "manifests/s.json")).toBe("second");
    expect(objectsIn(fake)).toEqual(["s.json"]);
  });

  test("in this workspace do not hold up its next run", async () => {
    const fake = await startFake();
    await ticketOf(fake, "manifests/s.json", "workspace-1");
    const provider = openOn(fake, { context: { writer: async () => "workspace-1" } });
    expect(await replace(provider, "manifests/s.json")).toBe("no error");
    expect(await replace(provider, "manifests/s.json")).toBe("no error");
    expect(objectsIn(fake)).toEqual(["s.json"]);
  });

  test("leave files that the next run after a cut-off one removes, and it removes no living writer's", async () => {
    const fake = await startFake();
    const own = await ticketOf(fake, "manifests/a.json", "workspace-1");
    const others = await ticketOf(fake, "manifests/b.json", undefined);
    const old = await ticketOf(fake, "manifests/c.json", undefined);
    fake.store.change(old, { createdTimeMs: fake.clock.now() - 3_600_000 });
    const provider = openOn(fake, { context: { writer: async () => "workspace-1" } });
    await provider.unfinished?.discardOthers("s/", () => undefined);
    expect([own, others, old].map((id) => fake.store.get(id) !== undefined)).toEqual([false, true, false]);
  });

  test("a put under a condition that fails leaves the key free for the next one", async () => {
    const fake = await startFake();
    const provider = openOn(fake);
    await put(provider, "manifests/s.json", "first", { precondition: absent });
    once(fake, "files.update.multipart", { kind: "refusal", reason: "insufficientFilePermissions" });
    expect(await replace(provider, "manifests/s.json")).toMatchObject({ code: "provider_denied" });
    expect(await replace(openOn(fake), "manifests/s.json")).toBe("no error");
    expect(objectsIn(fake)).toEqual(["s.json"]);
  });
});
