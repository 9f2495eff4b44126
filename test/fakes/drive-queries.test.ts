import { expect, test } from "bun:test";
import { parseQuery } from "./drive/query-syntax.ts";
import { ALL_DRIVES, namesOf, RawDriveClient, reasonOf } from "./drive-client.ts";
import { startFake } from "./start-fake.ts";

test("quotes and backslashes in names are found by their escapes", async () => {
  const fake = await startFake();
  const names = ["it's", "a\\b", "\\'", "plain"];
  for (const name of names) fake.addFile({ name, content: "x" });
  const client = new RawDriveClient(fake);
  for (const name of names) {
    const escaped = name.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
    expect((await client.list(`name = '${escaped}'`)).map((file) => file.name)).toEqual([name]);
  }
});

test("a query with a slip in it is refused and not read as something else", () => {
  const wrong = [
    "name = 'it's'",
    "name = 'a\\nb'",
    "name = 'open",
    'name = "a"',
    "name == 'a'",
    "name = 'a' and",
    "and name = 'a'",
    "name = 'a' name = 'b'",
    "(name = 'a'",
    "name < 'a'",
    "title = 'a'",
    "parents in 'a'",
    "'a' in owners",
    "trashed = 'false'",
    "trashed",
    "appProperties has { key='a' }",
    "appProperties has { value='a' and key='b' }",
    "appProperties = 'a'",
    "fullText contains 'a'",
    "name = 'a' AND trashed = false",
  ];
  for (const text of wrong) expect(() => parseQuery(text), text).toThrow("Invalid Value");
});

test("a refused query is a 400 that the fake remembers", async () => {
  const fake = await startFake();
  const answer = await new RawDriveClient(fake).send("GET", "/drive/v3/files", { query: { q: "name = 'it's'" } });
  expect([answer.status, reasonOf(answer)]).toEqual([400, "invalid"]);
  expect(() => fake.assertNothingRefused()).toThrow("Invalid Value");
});

test("and and or are read from left to right, as Drive does", async () => {
  const fake = await startFake();
  for (const name of ["a", "b", "c"]) fake.addFile({ name, content: name });
  const client = new RawDriveClient(fake);
  const names = async (q: string) => namesOf(await client.list(q));
  expect(await names("name = 'a' or name = 'b' and name = 'c'")).toEqual([]);
  expect(await names("name = 'a' or (name = 'b' and name = 'c')")).toEqual(["a"]);
  expect(await names("not name = 'a' and not name = 'c'")).toEqual(["b"]);
});

test("a name is found whatever its case, so that the client has to compare", async () => {
  const fake = await startFake();
  fake.addFile({ name: "Readme", content: "x" });
  expect(await new RawDriveClient(fake).list("name = 'README'")).toHaveLength(1);
});

test("properties of another app are not found", async () => {
  const fake = await startFake();
  fake.addFile({ name: "a", content: "x", madeBy: "other", appProperties: { comfyvn_path: "a" } });
  fake.addFile({ name: "b", content: "x", madeBy: fake.account.app, appProperties: { comfyvn_path: "a" } });
  const found = await new RawDriveClient(fake).list("appProperties has { key='comfyvn_path' and value='a' }");
  expect(found.map((file) => file.name)).toEqual(["b"]);
});

test("what is in a trashed folder is trashed", async () => {
  const fake = await startFake();
  const folder = fake.addFolder({ name: "folder" });
  fake.addFile({ name: "inside", parent: folder.id, content: "x" });
  const client = new RawDriveClient(fake);
  const query = { supportsAllDrives: "true" };
  await client.send("PATCH", `/drive/v3/files/${folder.id}`, { query, body: { trashed: true } });
  expect(await client.list("trashed = false")).toEqual([]);
  expect(await client.list("trashed = true")).toHaveLength(2);
});

test("pages are shorter than asked for, and a token holds for its own question only", async () => {
  const fake = await startFake();
  fake.listing.pageFilesMax = 3;
  for (let n = 0; n < 8; n++) fake.addFile({ name: `f${n}`, content: "x" });
  const client = new RawDriveClient(fake);
  const files = await client.list("trashed = false", { pageSize: "1000" });
  expect(new Set(files.map(({ name }) => name)).size).toBe(8);
  expect(fake.log.lists).toBe(3);
  const page = await client.send("GET", "/drive/v3/files", { query: { ...ALL_DRIVES, q: "trashed = false" } });
  const pageToken = page.json.nextPageToken ?? "";
  const other = await client.send("GET", "/drive/v3/files", {
    query: { ...ALL_DRIVES, q: "trashed = true", pageToken },
  });
  expect(other.status).toBe(400);
});

test("files that go between two pages hide none of the others", async () => {
  const fake = await startFake();
  fake.listing.pageFilesMax = 2;
  for (let n = 0; n < 6; n++) fake.addFile({ name: `f${n}`, content: "x" });
  const client = new RawDriveClient(fake);
  const query = { ...ALL_DRIVES, q: "trashed = false" };
  const first = await client.send("GET", "/drive/v3/files", { query });
  for (const { id = "" } of first.json.files ?? []) fake.store.remove(id);
  const pageToken = first.json.nextPageToken ?? "";
  expect(await client.list("trashed = false")).toHaveLength(4);
  const second = await client.send("GET", "/drive/v3/files", { query: { ...query, pageToken } });
  expect(second.json.files).toHaveLength(2);
  expect(second.json.nextPageToken).toBeDefined();
});

test("a listing is as old as the index, a get by id is not", async () => {
  const fake = await startFake();
  fake.store.indexLagMs = 5000;
  const client = new RawDriveClient(fake);
  const { json } = await client.upload({ name: "new", parents: [fake.drive.id] }, "x");
  const query = { supportsAllDrives: "true" };
  expect((await client.send("GET", `/drive/v3/files/${json.id}`, { query })).status).toBe(200);
  expect(await client.list("name = 'new'")).toEqual([]);
  fake.clock.advance(5001);
  expect(await client.list("name = 'new'")).toHaveLength(1);
  await client.send("PATCH", `/drive/v3/files/${json.id}`, { query, body: { name: "newer" } });
  expect(await client.list("name = 'new'")).toHaveLength(1);
  fake.clock.advance(5001);
  expect(await client.list("name = 'new'")).toEqual([]);
  await client.send("DELETE", `/drive/v3/files/${json.id}`, { query });
  expect(await client.list("name = 'newer'")).toHaveLength(1);
  fake.clock.advance(5001);
  expect(await client.list("name = 'newer'")).toEqual([]);
});

test("a folder that cannot be seen looks empty, or is not found", async () => {
  const fake = await startFake();
  const client = new RawDriveClient(fake);
  expect(await client.list("'1nowhere' in parents")).toEqual([]);
  fake.listing.hiddenFolder = "not_found";
  await expect(client.list("trashed = false and ('1nowhere' in parents)")).rejects.toThrow("404");
  expect(await client.list(`'${fake.drive.id}' in parents`)).toEqual([]);
});
