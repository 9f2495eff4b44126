import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { DriveFake } from "./drive/drive-fake.ts";
import { RawDriveClient, reasonOf } from "./drive-client.ts";
import { startFake } from "./start-fake.ts";

const query = { supportsAllDrives: "true" };

async function reserve(client: RawDriveClient): Promise<string> {
  const { json } = await client.send("GET", "/drive/v3/files/generateIds", { query: { count: "1" } });
  return json.ids?.[0] ?? "";
}

function setUp(fake: DriveFake) {
  const client = new RawDriveClient(fake);
  const patch = async (id: string | undefined, body: object, more: Readonly<Record<string, string>> = {}) =>
    await client.send("PATCH", `/drive/v3/files/${id}`, { query: { ...query, ...more }, body });
  return { client, patch };
}

test("one name can stand for several files", async () => {
  const fake = await startFake();
  const { client } = setUp(fake);
  const one = await client.upload({ name: "same", parents: [fake.drive.id] }, "1");
  const two = await client.upload({ name: "same", parents: [fake.drive.id] }, "2");
  expect(one.json.id).not.toBe(two.json.id ?? "");
  expect(await client.list("name = 'same'")).toHaveLength(2);
});

test("a reserved id makes one file however often the create is repeated, and none after it is gone", async () => {
  const fake = await startFake();
  const { client } = setUp(fake);
  const id = await reserve(client);
  const create = async () => await client.upload({ id, name: "a", parents: [fake.drive.id] }, "x");
  expect((await create()).json.id).toBe(id);
  const again = await create();
  expect([again.status, reasonOf(again)]).toEqual([409, "fileIdInUse"]);
  expect(await client.list("name = 'a'")).toHaveLength(1);
  await client.send("DELETE", `/drive/v3/files/${id}`, { query });
  expect((await create()).status).toBe(409);
});

test("an id that was not handed out to this account is not usable", async () => {
  const fake = await startFake();
  const { client } = setUp(fake);
  const other = new RawDriveClient(fake, fake.addAccount("other", "studio"));
  for (const id of ["1madeup", await reserve(other)])
    expect((await client.upload({ id, name: "a", parents: [fake.drive.id] }, "x")).status).toBe(400);
});

test("checksums are those of the bytes that arrived, and numbers of 64 bits are strings", async () => {
  const fake = await startFake();
  const { client } = setUp(fake);
  const fields = "size,version,md5Checksum,sha1Checksum,sha256Checksum";
  const { json } = await client.upload({ name: "a", parents: [fake.drive.id] }, "hello", { fields });
  const digest = (name: string) => createHash(name).update("hello").digest("hex");
  expect(json["size"]).toBe("5");
  expect(json["version"]).toMatch(/^\d+$/);
  expect([json["md5Checksum"], json["sha1Checksum"], json["sha256Checksum"]]).toEqual(
    ["md5", "sha1", "sha256"].map(digest),
  );
});

test("more than 5 MB in one request is refused", async () => {
  const fake = await startFake();
  const { client } = setUp(fake);
  const most = 5 * 1024 * 1024;
  const upload = async (bytes: number) =>
    (await client.upload({ name: "a", parents: [fake.drive.id] }, new Uint8Array(bytes))).status;
  expect(await upload(most)).toBe(200);
  expect(await upload(most + 1)).toBe(413);
});

test("a multipart body with another boundary, one part or no JSON before is refused", async () => {
  const fake = await startFake();
  const { client } = setUp(fake);
  const json = "Content-Type: application/json\r\n\r\n{}";
  const bytes = "Content-Type: image/png\r\n\r\nx";
  const bodies = [
    `--b\r\n${json}\r\n--b\r\n${bytes}\r\n--b`,
    `--b\r\n${json}\r\n--b--`,
    `--b\r\n${bytes}\r\n--b\r\n${bytes}\r\n--b--`,
    `--c\r\n${json}\r\n--c\r\n${bytes}\r\n--c--`,
  ];
  for (const body of bodies) {
    const headers = { "content-type": "multipart/related; boundary=b" };
    const answer = await client.send("POST", "/upload/drive/v3/files", {
      query: { ...query, uploadType: "multipart" },
      headers,
      body,
    });
    expect([body, answer.status]).toEqual([body, 400]);
  }
});

test("a property may have 124 bytes of UTF-8 with its key, and not one more", async () => {
  const fake = await startFake();
  const { client } = setUp(fake);
  const create = async (value: string) =>
    await client.upload({ name: "a", parents: [fake.drive.id], appProperties: { path: value } }, "x");
  expect((await create("é".repeat(60))).status).toBe(200);
  const long = await create(`${"é".repeat(60)}x`);
  expect([long.status, reasonOf(long)]).toEqual([403, "propertyLengthLimitExceeded"]);
});

test("an app may give a file 30 properties, and not one more", async () => {
  const fake = await startFake();
  const { client, patch } = setUp(fake);
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`p${n}`, "x"]));
  const { json } = await client.upload({ name: "a", parents: [fake.drive.id], appProperties: many }, "x");
  expect((await patch(json.id, { appProperties: { p30: "x" } })).status).toBe(403);
  expect((await patch(json.id, { appProperties: { p0: null, p30: "x" } })).status).toBe(200);
});

test("an update merges properties, and null takes one away", async () => {
  const fake = await startFake();
  const { client, patch } = setUp(fake);
  const appProperties = { a: "1", b: "2" };
  const { json } = await client.upload({ name: "a", parents: [fake.drive.id], appProperties }, "x");
  const changed = await patch(json.id, { appProperties: { b: null, c: "3" } }, { fields: "appProperties" });
  expect(changed.json["appProperties"]).toEqual({ a: "1", c: "3" });
  const other = fake.addAccount("other", "elsewhere");
  fake.drive.members.set(other.email, "reader");
  const seen = await new RawDriveClient(fake, other).send("GET", `/drive/v3/files/${json.id}`, {
    query: { ...query, fields: "appProperties,name" },
  });
  expect(seen.json).toEqual({ name: "a" });
});

test("a field that does not exist or cannot be written is refused", async () => {
  const fake = await startFake();
  const { client, patch } = setUp(fake);
  const { json } = await client.upload({ name: "a", parents: [fake.drive.id] }, "x");
  for (const [body, status] of [
    [{ title: "b" }, 400],
    [{ name: 5 }, 400],
    [{ modifiedTime: "yesterday" }, 400],
    [{ size: "5" }, 403],
    [{ parents: [fake.drive.id] }, 403],
  ] as const)
    expect([body, (await patch(json.id, body)).status]).toEqual([body, status]);
});

test("new content keeps the id and changes version and checksum; new metadata sends no content", async () => {
  const fake = await startFake();
  const { client, patch } = setUp(fake);
  const fields = "id,version,sha256Checksum,headRevisionId,name";
  const { json } = await client.upload({ name: "a", parents: [fake.drive.id] }, "one", { fields });
  const renamed = (await patch(json.id, { name: "b" }, { fields })).json;
  expect([renamed.name, renamed["headRevisionId"]]).toEqual(["b", json["headRevisionId"]]);
  const replaced = await client.send("PATCH", `/upload/drive/v3/files/${json.id}`, {
    query: { ...query, uploadType: "media", fields },
    headers: { "content-type": "image/png" },
    body: "two",
  });
  expect(replaced.json.id).toBe(json.id ?? "");
  expect(replaced.json["sha256Checksum"]).toBe(createHash("sha256").update("two").digest("hex"));
  expect(Number(replaced.json["version"])).toBeGreaterThan(Number(renamed["version"]));
});

test("a move takes a folder to add and the one to remove", async () => {
  const fake = await startFake();
  const { client, patch } = setUp(fake);
  const folder = fake.addFolder({ name: "folder" });
  const { json } = await client.upload({ name: "a", parents: [fake.drive.id] }, "x");
  expect((await patch(json.id, {}, { addParents: folder.id })).status).toBe(403);
  const both = { addParents: folder.id, removeParents: fake.drive.id, fields: "parents" };
  expect((await patch(json.id, {}, both)).json["parents"]).toEqual([folder.id]);
});

test("a copy has the content and the properties, with the body's over them", async () => {
  const fake = await startFake();
  const { client } = setUp(fake);
  const appProperties = { a: "1", b: "2" };
  const { json } = await client.upload({ name: "a", parents: [fake.drive.id], appProperties }, "x");
  const copy = await client.send("POST", `/drive/v3/files/${json.id}/copy`, {
    query: { ...query, fields: "id,name,appProperties,sha256Checksum,parents" },
    body: { id: await reserve(client), appProperties: { b: "3" } },
  });
  expect(copy.json.id).not.toBe(json.id ?? "");
  expect(copy.json.name).toBe("Copy of a");
  expect(copy.json["appProperties"]).toEqual({ a: "1", b: "3" });
  expect(copy.json["parents"]).toEqual([fake.drive.id]);
  expect(copy.json["sha256Checksum"]).toBe(createHash("sha256").update("x").digest("hex"));
});

test("fields are answered as asked for, and unknown ones are refused", async () => {
  const fake = await startFake();
  const { client } = setUp(fake);
  const { json } = await client.upload({ name: "a", parents: [fake.drive.id], properties: { k: "v" } }, "x");
  const get = async (fields: string) =>
    await client.send("GET", `/drive/v3/files/${json.id}`, { query: { ...query, fields } });
  expect((await get("name")).json).toEqual({ name: "a" });
  expect((await get("name, properties/k,capabilities(canDelete)")).json).toEqual({
    name: "a",
    properties: { k: "v" },
    capabilities: { canDelete: true },
  });
  expect(Object.keys((await get("*")).json)).toContain("sha256Checksum");
  expect((await get("")).json).toEqual({});
  for (const wrong of [
    "title",
    "name,",
    "name,,id",
    "files(id)",
    "capabilities(canFly)",
    "name/first",
    "(name)",
    "id)",
  ])
    expect([wrong, (await get(wrong)).status]).toEqual([wrong, 400]);
  const list = await client.send("GET", "/drive/v3/files", { query: { fields: "id,name" } });
  expect(list.status).toBe(400);
});

test("an address, method or parameter that Drive does not have is refused and remembered", async () => {
  const fake = await startFake();
  const { client } = setUp(fake);
  const wrong = [
    ["GET", "/drive/v2/files"],
    ["GET", "/drive/v3/file"],
    ["PUT", "/drive/v3/files/1"],
    ["GET", "/drive/v3/files?maxResults=5"],
    ["GET", "/drive/v3/files?pageSize=0"],
    ["GET", "/drive/v3/files?pageSize=all"],
    ["GET", "/drive/v3/files?supportsAllDrives=yes"],
    ["GET", "/drive/v3/files?orderBy=size"],
    ["GET", "/drive/v3/files?pageToken=x"],
    ["GET", "/drive/v3/files?q=trashed=true&q=trashed=false"],
    ["POST", "/upload/drive/v3/files?uploadType=chunked"],
    ["GET", "/drive/v3/about"],
  ] as const;
  for (const [method, path] of wrong) {
    const { status } = await client.send(method, path);
    expect([path, status === 400 || status === 404]).toEqual([path, true]);
  }
  expect(fake.refused).toHaveLength(wrong.length);
});
