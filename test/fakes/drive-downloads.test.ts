import { expect, test } from "bun:test";
import { RawDriveClient, reasonOf } from "./drive-client.ts";
import { startFake } from "./start-fake.ts";

async function setUp(content: string) {
  const fake = await startFake();
  const { id } = fake.addFile({ name: "a", content });
  const client = new RawDriveClient(fake);
  const get = async (range?: string) => {
    const answer = await client.send("GET", `/drive/v3/files/${id}`, {
      query: { supportsAllDrives: "true", alt: "media" },
      headers: range === undefined ? {} : { range },
    });
    return [answer.status, new TextDecoder().decode(answer.bytes), answer.headers.get("content-range")];
  };
  return { fake, client, get };
}

test("a range is the bytes asked for, both ends included, as far as there are any", async () => {
  const { get } = await setUp("0123456789");
  expect(await get()).toEqual([200, "0123456789", null]);
  expect(await get("bytes=2-4")).toEqual([206, "234", "bytes 2-4/10"]);
  expect(await get("bytes=7-")).toEqual([206, "789", "bytes 7-9/10"]);
  expect(await get("bytes=-3")).toEqual([206, "789", "bytes 7-9/10"]);
  expect(await get("bytes=8-99")).toEqual([206, "89", "bytes 8-9/10"]);
  expect(await get("lines=1-2")).toEqual([200, "0123456789", null]);
});

test("a range that begins at or after the end is a 416 that tells the size", async () => {
  const { get } = await setUp("0123456789");
  expect((await get("bytes=10-"))[0]).toBe(416);
  expect((await get("bytes=10-"))[2]).toBe("bytes */10");
  const empty = await setUp("");
  expect((await empty.get("bytes=0-"))[0]).toBe(416);
  expect(await empty.get()).toEqual([200, "", null]);
});

test("a folder has nothing to download", async () => {
  const { fake, client } = await setUp("x");
  const { id } = fake.addFolder({ name: "folder" });
  const answer = await client.send("GET", `/drive/v3/files/${id}?alt=media&supportsAllDrives=true`);
  expect([answer.status, reasonOf(answer)]).toEqual([403, "fileNotDownloadable"]);
});
