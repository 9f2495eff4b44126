import { beforeEach, describe, expect, test } from "bun:test";
import { utf8 } from "../../support/contents.ts";
import { keysOf, put, setUpS3 } from "./s3-setup.ts";

const { server, bucket, open } = await setUpS3();
const google = await setUpS3({ quirks: { noDeleteObjects: true } });
const KEYS = ["a", "b", "c", "d", "e", "f", "g"];

beforeEach(async () => {
  bucket.objects.clear();
  server.undeletable.clear();
  for (const key of KEYS) await put(open(), key, utf8(key));
});

function requestsSince(start: number, operation: string): number {
  return server.seen.slice(start).filter((request) => request.operation === operation).length;
}

test("keys go in batches, with the digest that older stores demand and no checksum that they refuse", async () => {
  const start = server.seen.length;
  expect(await open().delete(KEYS)).toEqual(KEYS.map((key) => ({ key })));
  expect(requestsSince(start, "DeleteObjects")).toBe(3);
  expect(bucket.objects.size).toBe(0);
  const headers = server.seen.at(-1)?.headers ?? {};
  expect(headers["content-md5"]).toBeString();
  expect(Object.keys(headers).filter((name) => name.includes("crc32"))).toEqual([]);
});

test("a key refused inside a success is reported, and only it", async () => {
  server.undeletable.add("c");
  const outcomes = await open().delete(KEYS);
  expect(outcomes.filter(({ error }) => error !== undefined).map(({ key, error }) => [key, error?.code])).toEqual([
    ["c", "provider_denied"],
  ]);
  expect([...bucket.objects.keys()]).toEqual(["c"]);
});

test("keys that XML cannot carry are deleted one by one, and nothing else with them", async () => {
  const odd = ["x\u0001", "n\nl", "r\rx", " lead", "trail ", "\ufffe"];
  for (const key of odd) await put(open(), key, utf8(key));
  const outcomes = await open().delete(["a", ...odd]);
  expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(await keysOf(open())).toEqual(KEYS.slice(1));
});

test("keys that look like XML are deleted, and not their neighbours", async () => {
  const odd = ["<a>", "&amp;", "&", "]]>", "b+c", "b c", "é"];
  for (const key of odd) await put(open(), key, utf8(key));
  await open().delete(odd);
  expect(await keysOf(open())).toEqual(KEYS);
});

test("a store without DeleteObjects has its keys deleted one by one", async () => {
  for (const key of KEYS) await put(google.open(), key, utf8(key));
  expect(await google.open().delete(KEYS)).toEqual(KEYS.map((key) => ({ key })));
  expect(google.bucket.objects.size).toBe(0);
});

test("a key that the answer does not mention is not taken for deleted", async () => {
  const body = "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>";
  const fault = server.faults.add("DeleteObjects", { kind: "answer", reply: { status: 200, body } });
  const outcomes = await open().delete(["a", "b"]);
  expect(fault.fired).toBe(1);
  expect(outcomes.map(({ error }) => error?.code)).toEqual([undefined, "provider_error"]);
});

describe("when a request of several fails", () => {
  test("the first throws, since nothing was tried", async () => {
    const fault = server.faults.add("DeleteObjects", { kind: "answer", reply: { status: 503 } });
    await expect(open().delete(KEYS)).rejects.toMatchObject({ code: "provider_unavailable" });
    expect(fault.fired).toBe(1);
    expect(bucket.objects.size).toBe(KEYS.length);
  });

  test("a later one is its own keys' error, and the others are told as done", async () => {
    const fault = server.faults.add("DeleteObjects", { kind: "answer", reply: { status: 503 } }, { nth: 2 });
    const outcomes = await open().delete(KEYS);
    expect(fault.fired).toBe(1);
    expect(outcomes.filter(({ error }) => error !== undefined).map(({ key }) => key)).toEqual(["d", "e", "f"]);
    expect([...bucket.objects.keys()]).toEqual(["d", "e", "f"]);
  });
});

test("a bucket that is missing is no success, also for keys that go alone", async () => {
  const provider = open({ bucket: "missing" });
  await expect(provider.delete(["a"])).rejects.toMatchObject({ code: "provider_container_missing" });
  const [outcome] = await provider.delete(["x\u0001"]);
  expect(outcome?.error?.code).toBe("provider_container_missing");
});
