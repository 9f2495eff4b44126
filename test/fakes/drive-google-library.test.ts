/** What Google's own library sends has to be right: the fake takes it, and refuses nothing of it. */
import { expect, test } from "bun:test";
import { Readable } from "node:stream";
import { auth, drive } from "googleapis/build/src/apis/drive/index.js";
import { RawDriveClient } from "./drive-client.ts";
import { startFake } from "./start-fake.ts";

test("Google's library creates, lists, reads, changes and deletes", async () => {
  const fake = await startFake();
  const client = new auth.OAuth2();
  client.setCredentials({ access_token: await new RawDriveClient(fake).token() });
  const rootUrl = `${fake.url}/`;
  const { files, drives } = drive({ version: "v3", auth: client, rootUrl });
  const shared = { supportsAllDrives: true };
  const { data: ids } = await files.generateIds({ count: 3 });
  const id = ids.ids?.[0] ?? "";
  const made = await files.create(
    {
      ...shared,
      requestBody: { id, name: "it's", parents: [fake.drive.id], appProperties: { path: "a/it's" } },
      media: { mimeType: "image/png", body: Readable.from([Buffer.from("con"), Buffer.from("tent")]) },
      fields: "id,size,mimeType",
    },
    { rootUrl },
  );
  expect(made.data).toEqual({ id, size: "7", mimeType: "image/png" });
  const listed = await files.list({
    q: `'${fake.drive.id}' in parents and name = 'it\\'s' and trashed = false`,
    corpora: "drive",
    driveId: fake.drive.id,
    includeItemsFromAllDrives: true,
    pageSize: 1000,
    fields: "nextPageToken,incompleteSearch,files(id,appProperties)",
    ...shared,
  });
  expect(listed.data).toEqual({ incompleteSearch: false, files: [{ id, appProperties: { path: "a/it's" } }] });
  const content = await files.get({ fileId: id, alt: "media", ...shared }, { responseType: "arraybuffer" });
  expect(Buffer.from(content.data as unknown as ArrayBuffer).toString()).toBe("content");
  await files.update({ fileId: id, requestBody: { trashed: true }, ...shared });
  await files.delete({ fileId: id, ...shared });
  expect((await drives.get({ driveId: fake.drive.id })).data.name).toBe("Studio");
  fake.assertNothingRefused();
});
