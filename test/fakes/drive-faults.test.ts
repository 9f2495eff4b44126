import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { DriveFake } from "./drive/drive-fake.ts";
import { type DriveFault, DriveFaultScript, type FaultTarget, REFUSALS } from "./drive/drive-faults.ts";
import { CHUNK_UNIT_BYTES } from "./drive/upload-session.ts";
import { RawDriveClient, reasonOf } from "./drive-client.ts";
import { startFake } from "./start-fake.ts";

const query = { supportsAllDrives: "true" };

function script(fake: DriveFake, on: FaultTarget, fault: DriveFault, nth = 1): void {
  fake.script = new DriveFaultScript([{ on, nth, fault }]);
}

async function setUp() {
  const fake = await startFake();
  const client = new RawDriveClient(fake);
  await client.token();
  const upload = async () => await client.upload({ name: "a", parents: [fake.drive.id] }, "hello", { fields: "*" });
  return { fake, client, upload };
}

test("a fault that never happens fails the test that scripted it", async () => {
  const { fake, upload } = await setUp();
  script(fake, "files.create.multipart", { kind: "html", status: 502 }, 2);
  await upload();
  expect(() => fake.script.assertAllFired()).toThrow("html 502 on files.create.multipart 2");
  expect((await upload()).status).toBe(502);
  expect(fake.script.fired).toEqual(["html 502 on files.create.multipart 2"]);
  fake.script.assertAllFired();
});

test("several faults for one request happen one after the other, and none is lost", async () => {
  const { fake, upload } = await setUp();
  fake.script = new DriveFaultScript([
    { on: "any", nth: 1, times: 2, fault: { kind: "too_many_requests" } },
    { on: "write", nth: 1, fault: { kind: "html", status: 503 } },
  ]);
  expect([(await upload()).status, (await upload()).status, (await upload()).status]).toEqual([429, 429, 503]);
  fake.script.assertAllFired();
});

test("each refusal has its status and reason, and nothing was applied", async () => {
  const { fake, upload } = await setUp();
  for (const reason of Object.keys(REFUSALS) as (keyof typeof REFUSALS)[]) {
    script(fake, "write", { kind: "refusal", reason });
    const answer = await upload();
    expect([answer.status, reasonOf(answer)]).toEqual([REFUSALS[reason][0], reason]);
  }
  expect([...fake.store.childrenOf(fake.drive.id)]).toEqual([]);
});

test("429 says when to come back, or does not", async () => {
  const { fake, upload } = await setUp();
  script(fake, "any", { kind: "too_many_requests", retryAfterSeconds: 7 });
  expect((await upload()).headers.get("retry-after")).toBe("7");
  script(fake, "any", { kind: "too_many_requests" });
  expect((await upload()).headers.get("retry-after")).toBeNull();
});

test("a server error, a reset and a refusal before leave nothing; after, they leave the file", async () => {
  for (const when of ["before", "after"] as const) {
    const faults: DriveFault[] = [
      { kind: "server_error", status: 500, when, body: "json" },
      { kind: "server_error", status: 502, when, body: "html" },
      { kind: "refusal", reason: "rateLimitExceeded", when },
      { kind: "reset", when },
    ];
    for (const fault of faults) {
      const { fake, upload } = await setUp();
      script(fake, "files.create.multipart", fault);
      const outcome = await upload().then(
        ({ status }) => status,
        () => "reset",
      );
      expect(outcome).toBe(fault.kind === "reset" ? "reset" : fault.kind === "server_error" ? fault.status : 403);
      expect([...fake.store.childrenOf(fake.drive.id)]).toHaveLength(when === "before" ? 0 : 1);
      fake.script.assertAllFired();
    }
  }
});

test("a reset in the body of a create leaves nothing", async () => {
  const { fake, upload } = await setUp();
  script(fake, "files.create.multipart", { kind: "reset", when: "in_body" });
  await expect(upload()).rejects.toThrow();
  await fake.stop();
  expect([...fake.store.childrenOf(fake.drive.id)]).toEqual([]);
});

test("a request that hangs is never answered, whether or not it was applied", async () => {
  for (const when of ["before", "after"] as const) {
    const { fake, client } = await setUp();
    script(fake, "files.create", { kind: "hang", when });
    const token = await client.token();
    const sent = fetch(`${fake.url}/drive/v3/files?supportsAllDrives=true`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "a", parents: [fake.drive.id] }),
    });
    const applied = when === "after" ? 1 : 0;
    const children = () => [...fake.store.childrenOf(fake.drive.id)].length;
    while (fake.script.fired.length === 0 || children() < applied) await new Promise(setImmediate);
    expect(children()).toBe(applied);
    await fake.stop();
    await expect(sent).rejects.toThrow();
  }
});

test("a revoked token takes all tokens with it", async () => {
  const { fake, client, upload } = await setUp();
  script(fake, "files.create.multipart", { kind: "token_revoked" });
  expect((await upload()).status).toBe(401);
  expect((await upload()).status).toBe(401);
  expect((await new RawDriveClient(fake).send("GET", "/drive/v3/about?fields=user")).status).toBe(200);
  expect((await client.send("GET", "/drive/v3/about?fields=user")).status).toBe(401);
});

test("a truncated download is shorter than it said, a corrupted one is another", async () => {
  const { fake, client } = await setUp();
  const content = "0123456789".repeat(1000);
  const { id } = fake.addFile({ name: "a", content });
  const get = async () => await client.send("GET", `/drive/v3/files/${id}`, { query: { ...query, alt: "media" } });
  script(fake, "files.download", { kind: "truncate_download", how: "reset" });
  await expect(get()).rejects.toThrow();
  while (fake.script.left.length > 0) await new Promise(setImmediate);
  script(fake, "files.download", { kind: "truncate_download", how: "close" });
  await expect(get()).rejects.toThrow();
  while (fake.script.left.length > 0) await new Promise(setImmediate);
  script(fake, "files.download", { kind: "corrupt_download" });
  const { status, bytes } = await get();
  expect([status, bytes.length, new TextDecoder().decode(bytes) === content]).toEqual([200, content.length, false]);
  expect(new TextDecoder().decode((await get()).bytes)).toBe(content);
});

test("a corrupted upload has the checksum of what arrived, not of what was sent", async () => {
  const { fake, upload } = await setUp();
  script(fake, "files.create.multipart", { kind: "corrupt_upload" });
  const { status, json } = await upload();
  expect([status, json["size"]]).toEqual([200, "5"]);
  expect(json["sha256Checksum"]).not.toBe(createHash("sha256").update("hello").digest("hex"));
});

test("a session may keep less of a chunk than was sent, or be lost", async () => {
  const { fake, client } = await setUp();
  const total = CHUNK_UNIT_BYTES * 3;
  const opened = await client.send("POST", "/upload/drive/v3/files", {
    query: { ...query, uploadType: "resumable" },
    body: { name: "a", parents: [fake.drive.id] },
  });
  const location = opened.headers.get("location") ?? "";
  const send = async (first: number) =>
    await client.send("PUT", location, {
      headers: { "content-range": `bytes ${first}-${total - 1}/${total}` },
      body: new Uint8Array(total - first),
    });
  script(fake, "upload.chunk", { kind: "keep_less", bytes: 0 });
  const nothing = await send(0);
  expect([nothing.status, nothing.headers.get("range")]).toEqual([308, null]);
  script(fake, "upload.chunk", { kind: "keep_less", bytes: CHUNK_UNIT_BYTES + 10 });
  const less = await send(0);
  expect([less.status, less.headers.get("range")]).toEqual([308, `bytes=0-${CHUNK_UNIT_BYTES - 1}`]);
  for (const status of [410, 404] as const) {
    script(fake, "upload.chunk", { kind: "session_lost", status });
    expect((await send(CHUNK_UNIT_BYTES)).status).toBe(status);
  }
  fake.script = new DriveFaultScript();
  expect((await send(CHUNK_UNIT_BYTES)).status).toBe(404);
});

test("a page may be short or empty and go on, and a search may be incomplete", async () => {
  const { fake, client } = await setUp();
  for (const name of ["a", "b", "c"]) fake.addFile({ name, content: "x" });
  fake.script = new DriveFaultScript([
    { on: "files.list", nth: 1, fault: { kind: "short_page", files: 0 } },
    { on: "files.list", nth: 2, fault: { kind: "short_page", files: 1 } },
    { on: "files.list", nth: 4, fault: { kind: "incomplete_search" } },
  ]);
  expect(await client.list("trashed = false")).toHaveLength(3);
  expect(fake.log.lists).toBe(3);
  const answer = await client.send("GET", "/drive/v3/files", { query: { fields: "incompleteSearch" } });
  expect(answer.json).toEqual({ incompleteSearch: true });
  fake.script.assertAllFired();
});

test("another writer can come in between", async () => {
  const { fake, client, upload } = await setUp();
  script(fake, "files.create.multipart", {
    kind: "meanwhile",
    act: () => void fake.addFile({ name: "a", content: "theirs" }),
  });
  expect((await upload()).status).toBe(200);
  expect(await client.list("name = 'a'")).toHaveLength(2);
});

test("the token endpoint fails as well", async () => {
  const { fake, client } = await setUp();
  script(fake, "token", { kind: "html", status: 503 });
  const response = await fetch(`${fake.url}/token`, { method: "POST" });
  expect(response.status).toBe(503);
  expect((await client.requestToken()).status).toBe(200);
});
