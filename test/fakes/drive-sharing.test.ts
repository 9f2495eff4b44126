import { expect, test } from "bun:test";
import { ALL_DRIVES, namesOf, RawDriveClient, reasonOf } from "./drive-client.ts";
import { startFake } from "./start-fake.ts";

const query = { supportsAllDrives: "true" };

test("an app that does not say that it knows shared drives does not see them", async () => {
  const fake = await startFake();
  const file = fake.addFile({ name: "a", content: "x" });
  const client = new RawDriveClient(fake);
  const path = `/drive/v3/files/${file.id}`;
  for (const [method, target] of [
    ["GET", path],
    ["GET", `${path}?alt=media`],
    ["PATCH", path],
    ["DELETE", path],
    ["POST", `${path}/copy`],
  ] as const) {
    const answer = await client.send(method, target, method === "GET" || method === "DELETE" ? {} : { body: {} });
    expect([method, answer.status, reasonOf(answer)]).toEqual([method, 404, "notFound"]);
  }
  const created = await client.send("POST", "/drive/v3/files", { body: { name: "b", parents: [fake.drive.id] } });
  expect([created.status, reasonOf(created)]).toEqual([404, "notFound"]);
  expect((await client.send("GET", "/drive/v3/files")).json.files).toEqual([]);
});

test("parameters of a listing that do not go together are refused", async () => {
  const fake = await startFake();
  const client = new RawDriveClient(fake);
  const driveId = fake.drive.id;
  const wrong: Record<string, string>[] = [
    { includeItemsFromAllDrives: "true" },
    { corpora: "drive", driveId, supportsAllDrives: "true" },
    { corpora: "drive", ...ALL_DRIVES },
    { driveId, ...ALL_DRIVES },
    { corpora: "allDrives", supportsAllDrives: "true" },
  ];
  for (const each of wrong)
    expect([each, (await client.send("GET", "/drive/v3/files", { query: each })).status]).toEqual([each, 403]);
  expect(fake.refused).toHaveLength(wrong.length);
  const unknown = { corpora: "drive", driveId: "0Anone", ...ALL_DRIVES };
  expect((await client.send("GET", "/drive/v3/files", { query: unknown })).status).toBe(404);
});

test("corpora drive shows that drive alone", async () => {
  const fake = await startFake();
  const other = fake.store.addSharedDrive("Other", [[fake.account.email, "reader"]]);
  fake.addFile({ name: "here", content: "x" });
  fake.addFile({ name: "there", parent: other.id, content: "x" });
  fake.addFile({ name: "mine", parent: fake.addSharedFolder("folder", "writer").id, content: "x" });
  const client = new RawDriveClient(fake);
  expect(namesOf(await client.list("trashed = false"))).toEqual(["folder", "here", "mine", "there"]);
  const one = await client.list("trashed = false", { corpora: "drive", driveId: fake.drive.id });
  expect(namesOf(one)).toEqual(["here"]);
});

test("a drive that the account is no member of cannot be seen", async () => {
  const fake = await startFake();
  const other = fake.store.addSharedDrive("Other", []);
  const file = fake.addFile({ name: "secret", parent: other.id, content: "x" });
  const client = new RawDriveClient(fake);
  expect(await client.list("trashed = false")).toEqual([]);
  expect((await client.send("GET", `/drive/v3/files/${file.id}`, { query })).status).toBe(404);
  expect((await client.send("GET", `/drive/v3/drives/${other.id}`)).status).toBe(404);
});

test("a service account owns nothing: what it makes in a My Drive is refused, folders too", async () => {
  const fake = await startFake();
  const folder = fake.addSharedFolder("shared", "writer");
  const client = new RawDriveClient(fake);
  for (const parents of [[folder.id], ["root"], undefined]) {
    const answer = await client.upload({ name: "a", ...(parents === undefined ? {} : { parents }) }, "x");
    expect([answer.status, reasonOf(answer)]).toEqual([403, "storageQuotaExceeded"]);
  }
  const made = await client.send("POST", "/drive/v3/files", {
    body: { name: "sub", parents: [folder.id], mimeType: "application/vnd.google-apps.folder" },
  });
  expect(reasonOf(made)).toBe("storageQuotaExceeded");
});

test("an account from before may fill its quota and no more", async () => {
  const fake = await startFake();
  const client = new RawDriveClient(fake, fake.addAccount("old", "studio", 10));
  expect((await client.upload({ name: "a" }, "12345678")).status).toBe(200);
  expect(reasonOf(await client.upload({ name: "b" }, "123"))).toBe("storageQuotaExceeded");
});

test("a file of someone else's My Drive may be changed by a writer, and not trashed or deleted", async () => {
  const fake = await startFake();
  const folder = fake.addSharedFolder("shared", "writer");
  const file = fake.addFile({ name: "a", parent: folder.id, content: "x" });
  const client = new RawDriveClient(fake);
  const path = `/drive/v3/files/${file.id}`;
  expect((await client.send("PATCH", path, { body: { name: "b" } })).status).toBe(200);
  expect(reasonOf(await client.send("PATCH", path, { body: { trashed: true } }))).toBe("insufficientFilePermissions");
  expect(reasonOf(await client.send("DELETE", path))).toBe("insufficientFilePermissions");
});

test("on a shared drive organizers delete for good, content managers trash, writers neither", async () => {
  const fake = await startFake();
  const client = new RawDriveClient(fake);
  const outcome = async (role: "writer" | "fileOrganizer" | "organizer") => {
    fake.drive.members.set(fake.account.email, role);
    const path = `/drive/v3/files/${fake.addFile({ name: role, content: "x" }).id}`;
    const trashed = await client.send("PATCH", path, { query, body: { trashed: true } });
    const deleted = await client.send("DELETE", path, { query });
    return [trashed.status, deleted.status];
  };
  expect(await outcome("writer")).toEqual([403, 403]);
  expect(await outcome("fileOrganizer")).toEqual([200, 403]);
  expect(await outcome("organizer")).toEqual([200, 204]);
});

test("a folder that is deleted takes all that is in it", async () => {
  const fake = await startFake();
  const folder = fake.addFolder({ name: "folder" });
  const file = fake.addFile({ name: "inside", parent: folder.id, content: "x" });
  const client = new RawDriveClient(fake);
  expect((await client.send("DELETE", `/drive/v3/files/${folder.id}`, { query })).status).toBe(204);
  expect((await client.send("GET", `/drive/v3/files/${file.id}`, { query })).status).toBe(404);
});

test("a shared drive's root cannot be deleted, and a reader writes nothing", async () => {
  const fake = await startFake();
  const client = new RawDriveClient(fake);
  expect((await client.send("DELETE", `/drive/v3/files/${fake.drive.id}`, { query })).status).toBe(403);
  fake.drive.members.set(fake.account.email, "reader");
  const made = await client.upload({ name: "a", parents: [fake.drive.id] }, "x");
  expect(reasonOf(made)).toBe("insufficientFilePermissions");
});
