import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import type { DriveFake } from "./drive/drive-fake.ts";
import { CHUNK_UNIT_BYTES } from "./drive/upload-session.ts";
import { RawDriveClient, reasonOf } from "./drive-client.ts";
import { startFake } from "./start-fake.ts";

const BYTES = new Uint8Array(CHUNK_UNIT_BYTES * 2 + 1000).map((_, at) => at % 251);
const TOTAL = BYTES.length;
const DAY_MS = 24 * 3600 * 1000;

async function open(fake: DriveFake, metadata: object = { name: "big" }) {
  const client = new RawDriveClient(fake);
  const answer = await client.send("POST", "/upload/drive/v3/files", {
    query: { uploadType: "resumable", supportsAllDrives: "true", fields: "id,sha256Checksum,size" },
    headers: { "x-upload-content-length": String(TOTAL), "x-upload-content-type": "image/png" },
    body: { parents: [fake.drive.id], ...metadata },
  });
  const location = answer.headers.get("location") ?? "";
  const put = async (range: string, body?: Uint8Array) =>
    await client.send("PUT", location, {
      headers: { "content-range": range },
      ...(body === undefined ? {} : { body }),
    });
  const chunk = async (first: number, end: number) =>
    await put(`bytes ${first}-${end - 1}/${TOTAL}`, BYTES.subarray(first, end));
  const status = async () => await put(`bytes */${TOTAL}`);
  return { client, location, put, chunk, status };
}

test("nothing of an upload is seen until its last byte has arrived", async () => {
  const fake = await startFake();
  const { client, chunk, status } = await open(fake);
  expect((await status()).headers.get("range")).toBeNull();
  const first = await chunk(0, CHUNK_UNIT_BYTES);
  expect([first.status, first.headers.get("range")]).toEqual([308, `bytes=0-${CHUNK_UNIT_BYTES - 1}`]);
  expect(await client.list("trashed = false")).toEqual([]);
  const last = await chunk(CHUNK_UNIT_BYTES, TOTAL);
  expect(last.status).toBe(200);
  expect(last.json["sha256Checksum"]).toBe(createHash("sha256").update(BYTES).digest("hex"));
  expect(last.json["size"]).toBe(String(TOTAL));
  expect(await client.list("trashed = false")).toHaveLength(1);
  expect((await status()).json.id).toBe(last.json.id ?? "");
});

test("a chunk that is no multiple of 256 KiB is refused unless it is the last", async () => {
  const fake = await startFake();
  const { chunk } = await open(fake);
  expect((await chunk(0, 1000)).status).toBe(400);
  expect((await chunk(0, TOTAL)).status).toBe(200);
});

test("a chunk that leaves a gap is refused, and one that overlaps is taken once", async () => {
  const fake = await startFake();
  const { chunk } = await open(fake);
  expect((await chunk(CHUNK_UNIT_BYTES, TOTAL)).status).toBe(503);
  await chunk(0, CHUNK_UNIT_BYTES);
  const whole = await chunk(0, TOTAL);
  expect(whole.json["sha256Checksum"]).toBe(createHash("sha256").update(BYTES).digest("hex"));
  expect(fake.log.contentBytesAgain).toBe(CHUNK_UNIT_BYTES);
});

test("a total that is not the announced one, or a body that is not its range, is refused", async () => {
  const fake = await startFake();
  const { put } = await open(fake);
  expect((await put(`bytes 0-${CHUNK_UNIT_BYTES - 1}/${TOTAL + 1}`, BYTES.subarray(0, CHUNK_UNIT_BYTES))).status).toBe(
    400,
  );
  expect((await put(`bytes 0-${CHUNK_UNIT_BYTES - 1}/${TOTAL}`, BYTES.subarray(0, 10))).status).toBe(400);
  expect((await put("bytes 0-/5", BYTES.subarray(0, 10))).status).toBe(400);
});

test("a connection that breaks in a chunk leaves the whole units that arrived", async () => {
  const fake = await startFake();
  const { location, status } = await open(fake);
  const url = new URL(location);
  await new Promise<void>((resolve) => {
    const socket = connect(Number(url.port), url.hostname);
    const range = `Content-Range: bytes 0-${CHUNK_UNIT_BYTES * 2 - 1}/${TOTAL}\r\nContent-Length: ${CHUNK_UNIT_BYTES * 2}`;
    socket.write(`PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n${range}\r\n\r\n`);
    socket.write(BYTES.subarray(0, CHUNK_UNIT_BYTES + 5000), () => socket.end(resolve));
  });
  while (fake.log.contentBytesIn < CHUNK_UNIT_BYTES + 5000) await new Promise((resolve) => setImmediate(resolve));
  expect((await status()).headers.get("range")).toBe(`bytes=0-${CHUNK_UNIT_BYTES - 1}`);
});

test("a session ends after a week, and one that never was is not found", async () => {
  const fake = await startFake();
  const { client, location } = await open(fake);
  // An upload session's address is all that it takes: tokens have long expired.
  const ask = async (target: string) =>
    (await client.send("PUT", target, { token: null, headers: { "content-range": `bytes */${TOTAL}` } })).status;
  fake.clock.advance(6 * DAY_MS);
  expect(await ask(location)).toBe(308);
  expect(await ask("/upload/drive/v3/files?uploadType=resumable&upload_id=guessed")).toBe(404);
  fake.clock.advance(2 * DAY_MS);
  expect(await ask(location)).toBe(404);
});

test("two sessions for one reserved id make one file", async () => {
  const fake = await startFake();
  const [id = ""] = (await new RawDriveClient(fake).send("GET", "/drive/v3/files/generateIds")).json.ids ?? [];
  const one = await open(fake, { name: "a", id });
  const two = await open(fake, { name: "a", id });
  expect((await one.chunk(0, TOTAL)).json.id).toBe(id);
  const second = await two.chunk(0, TOTAL);
  expect([second.status, reasonOf(second)]).toEqual([409, "fileIdInUse"]);
});
