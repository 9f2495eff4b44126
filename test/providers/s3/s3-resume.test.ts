import { beforeEach, describe, expect, test } from "bun:test";
import { type MemoryRecords, memoryRecords } from "../../../src/providers/conformance/memory-records.ts";
import { someBytes, sourceOf } from "../../../src/providers/conformance/sources.ts";
import type { PutOptions } from "../../../src/providers/contract.ts";
import { withRetry } from "../../../src/providers/retry.ts";
import type { S3Fault } from "../../services/s3/s3-faults.ts";
import type { StoredObject } from "../../services/s3/s3-store.ts";
import { sha256Of, utf8 } from "../../support/contents.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { openS3Provider } from "../../../src/providers/s3/s3-provider.ts";
import { readS3Settings } from "../../../src/providers/s3/settings.ts";
import { MIB, newHasher, put, setUpS3, SMALL_LIMITS } from "./s3-setup.ts";

const { server, bucket, open } = await setUpS3({ quirks: { pageKeysMax: 3 } });
/** Ten parts, the last one smaller. */
const content = someBytes(10_000, 1);
const PARTS = 10;

let records: MemoryRecords;

beforeEach(() => {
  records = memoryRecords();
  bucket.objects.clear();
  bucket.uploads.clear();
  server.seen.length = 0;
});

const sent = (operation: string) => server.seen.filter((request) => request.operation === operation).length;
const partsRecorded = () => records.all.filter((record) => "number" in record).length;
/** What the store has of the one upload that there is. */
const onlyUpload = () => [...bucket.uploads.values()][0]?.parts ?? new Map<number, StoredObject>();

/** A put that goes on from `records`. */
function resume(bytes = content, options: Partial<PutOptions> = {}, by = open()) {
  return put(by, "film", bytes, { resume: records, ...options });
}

/** A put of which the part requests from the `nth` on fail by `fault`; then the count of requests starts anew. */
async function failAt(nth: number, fault: S3Fault = { kind: "answer", reply: { status: 503 } }): Promise<void> {
  const failing = server.faults.add("UploadPart", fault, { nth, times: Number.POSITIVE_INFINITY });
  await expect(resume()).rejects.toMatchObject({ retryable: true });
  expect(failing.fired).toBeGreaterThan(0);
  failing.remove();
  server.seen.length = 0;
}

async function forgetRecord(number: number): Promise<void> {
  const kept = records.all.filter((record) => record["number"] !== number);
  await records.clear();
  for (const record of kept) await records.add(record);
}

function expectDone(bytes = content): void {
  expect(bucket.objects.get("film")?.bytes).toEqual(Buffer.from(bytes));
  expect(bucket.uploads.size).toBe(0);
  expect(records.all).toEqual([]);
}

describe("a put goes on where one ended", () => {
  const faults: Readonly<Record<string, S3Fault>> = {
    "a refusal that passes": { kind: "answer", reply: { status: 503 } },
    "a connection that broke": { kind: "reset" },
    "an answer that was lost": { kind: "reset", applied: true },
    "bytes that were damaged": { kind: "damage" },
  };
  for (const [name, fault] of Object.entries(faults)) {
    for (const nth of [1, 4, PARTS]) {
      test(`by ${name} from part request ${nth} on: only what did not arrive is sent`, async () => {
        await failAt(nth, fault);
        expect(partsRecorded()).toBe(nth - 1);
        const arrived = onlyUpload().size;
        await resume();
        expect(sent("UploadPart")).toBe(PARTS - arrived);
        expect(sent("CreateMultipartUpload")).toBe(0);
        expectDone();
      });
    }
  }

  test("by an abort, which leaves no request behind", async () => {
    const controller = new AbortController();
    const fault = server.faults.add("UploadPart", { kind: "after", run: () => controller.abort() }, { nth: 6 });
    await expect(resume(content, { signal: controller.signal })).rejects.toMatchObject({ code: "aborted" });
    expect(fault.fired).toBe(1);
    expect(sent("AbortMultipartUpload")).toBe(0);
    const arrived = onlyUpload().size;
    expect(arrived).toBeGreaterThan(0);
    server.seen.length = 0;
    await resume();
    expect(sent("UploadPart")).toBe(PARTS - arrived);
    expectDone();
  });

  test("also with parts whose records were lost in a crash, where the store tells what is in them", async () => {
    await failAt(5);
    await forgetRecord(3);
    await resume();
    expect(sent("UploadPart")).toBe(PARTS - 4);
    expectDone();
  });

  test("as often as it takes, never sending a part again that has arrived", async () => {
    for (let nth = 2; nth <= 4; nth++) await failAt(2);
    await resume();
    expect(sent("UploadPart")).toBe(PARTS - 3);
    expectDone();
  });

  test("within one put of the retry wrapper: a part that fails costs itself, and progress reaches the size", async () => {
    const fault = server.faults.add("UploadPart", { kind: "answer", reply: { status: 503 } }, { nth: 6 });
    const reported: number[] = [];
    const provider = withRetry(open(), undefined, { clock: new VirtualClock() });
    await resume(content, { onBytes: (bytes) => reported.push(bytes) }, provider);
    expect(fault.fired).toBe(1);
    expect(sent("UploadPart")).toBe(PARTS + 1);
    expect(reported.reduce((sum, bytes) => sum + bytes, 0)).toBe(content.length);
    expect(reported.some((bytes) => bytes < 0)).toBe(true);
    expectDone();
  });
});

describe("an earlier attempt was complete and only its answer lost", () => {
  test("the object is looked at, and nothing is sent", async () => {
    const lost = server.faults.add("CompleteMultipartUpload", { kind: "reset", applied: true });
    const unseen = server.faults.add("HeadObject", { kind: "answer", reply: { status: 503 } });
    await expect(resume()).rejects.toMatchObject({ retryable: true });
    expect([lost.fired, unseen.fired]).toEqual([1, 1]);
    server.seen.length = 0;
    let reported = 0;
    const info = await resume(content, { onBytes: (bytes) => void (reported += bytes) });
    expect(server.seen.map((request) => request.operation)).toEqual(["ListParts", "HeadObject"]);
    expect(info).toEqual({ key: "film", size: content.length, version: bucket.objects.get("film")?.etag ?? "" });
    expect(reported).toBe(content.length);
    expectDone();
  });

  test("but another's object under that key is not taken for it", async () => {
    await failAt(5);
    bucket.uploads.clear();
    await put(open(), "film", utf8("other"));
    await resume();
    expect(sent("UploadPart")).toBe(PARTS);
    expectDone();
  });
});

describe("a put starts anew when", () => {
  test("the store has forgotten the upload", async () => {
    await failAt(5);
    bucket.uploads.clear();
    await resume();
    expect(sent("UploadPart")).toBe(PARTS);
    expectDone();
  });

  test("the content is another: the old upload is removed and no byte of it is used", async () => {
    await failAt(5);
    const other = someBytes(10_000, 2);
    await resume(other);
    expect(sent("UploadPart")).toBe(PARTS);
    expect(sent("AbortMultipartUpload")).toBe(1);
    expectDone(other);
  });

  test("the object is to be kept in another way", async () => {
    await failAt(5);
    await resume(content, {}, open({ sse: "AES256" }));
    expect(sent("UploadPart")).toBe(PARTS);
    expect(bucket.objects.get("film")?.traits["x-amz-server-side-encryption"]).toBe("AES256");
    expectDone();
  });

  test("parts have another size now", async () => {
    await failAt(5);
    await resume(content, {}, open({}, { partBytesMin: 2048 }));
    expect(sent("UploadPart")).toBe(5);
    expectDone();
  });

  test("the parts may not be listed", async () => {
    await failAt(5);
    const denied = server.faults.add("ListParts", { kind: "answer", reply: { status: 403 } });
    await resume();
    expect(denied.fired).toBe(1);
    expect(sent("UploadPart")).toBe(PARTS);
    expectDone();
  });

  test("the records are torn or foreign", async () => {
    await failAt(5);
    await records.clear();
    for (const foreign of [{}, { upload_id: 5 }, { number: 1, size: 1024 }, { upload_id: "x" }])
      await records.add(foreign);
    bucket.uploads.clear();
    await resume();
    expectDone();
  });

  test("the store does not take the parts together", async () => {
    const body = "<?xml version='1.0'?><Error><Code>InvalidPart</Code></Error>";
    const fault = server.faults.add("CompleteMultipartUpload", { kind: "answer", reply: { status: 400, body } });
    await expect(resume()).rejects.toMatchObject({ retryable: true });
    expect(fault.fired).toBe(1);
    expect([bucket.uploads.size, records.all]).toEqual([0, []]);
  });
});

describe("a part is sent again when", () => {
  test("the store does not list it", async () => {
    await failAt(5);
    onlyUpload().delete(2);
    await resume();
    expect(sent("UploadPart")).toBe(PARTS - 3);
    expectDone();
  });

  test("the store has other bytes under its number", async () => {
    await failAt(5);
    onlyUpload().set(2, { bytes: someBytes(1024, 9), etag: "f".repeat(32), traits: {} });
    await resume();
    expect(sent("UploadPart")).toBe(PARTS - 3);
    expectDone();
  });

  test("its record was lost in a crash and its ETag is no MD5, or one of other bytes", async () => {
    await failAt(5);
    for (const [number, etag] of [
      [2, "no MD5"],
      [3, "f".repeat(32)],
    ] as const) {
      await forgetRecord(number);
      onlyUpload().set(number, { bytes: someBytes(1024, 9), etag, traits: {} });
    }
    await resume();
    expect(sent("UploadPart")).toBe(PARTS - 2);
    expectDone();
  });

  test("it had been read while the file was another for a moment", async () => {
    const passing = content.slice();
    passing[1500] = (passing[1500] ?? 0) ^ 1;
    const fault = server.faults.add("UploadPart", { kind: "reset" }, { nth: 5, times: Number.POSITIVE_INFINITY });
    await expect(resume(passing, { sha256: sha256Of(content) })).rejects.toMatchObject({ retryable: true });
    fault.remove();
    server.seen.length = 0;
    await resume();
    expect(sent("UploadPart")).toBe(PARTS - 3);
    expectDone();
  });
});

describe("nothing is kept", () => {
  test("of content that is not what was hashed", async () => {
    await failAt(5);
    const changed = content.slice();
    changed[9_999] = (changed[9_999] ?? 0) ^ 1;
    const lie = resume(changed, { sha256: sha256Of(content) });
    await expect(lie).rejects.toMatchObject({ code: "content_mismatch", retryable: false });
    expect([bucket.uploads.size, records.all]).toEqual([0, []]);
    expect(bucket.objects.has("film")).toBe(false);
  });

  test("of a source that cannot be read to its end", async () => {
    const source = sourceOf(content, { size: content.length + 2_000 });
    const short = open().put("film", source, { sha256: sha256Of(content), resume: records });
    await expect(short).rejects.toMatchObject({ code: "file_changed" });
    expect([bucket.uploads.size, records.all]).toEqual([0, []]);
  });

  test("after a refusal for good", async () => {
    const denied = server.faults.add("UploadPart", { kind: "answer", reply: { status: 403 } }, { nth: 5 });
    await expect(resume()).rejects.toMatchObject({ code: "provider_denied" });
    expect(denied.fired).toBe(1);
    expect([bucket.uploads.size, records.all]).toEqual([0, []]);
  });

  test("of large content once a small one has its key", async () => {
    await failAt(5);
    await resume(utf8("small now"));
    expectDone(utf8("small now"));
  });
});

test("an upload that could not be removed is gone on with when that may help again", async () => {
  const refused = { kind: "answer", reply: { status: 403 } } as const;
  const expired = server.faults.add("UploadPart", refused, { nth: 5, times: Number.POSITIVE_INFINITY });
  const removal = server.faults.add("AbortMultipartUpload", refused);
  await expect(resume()).rejects.toMatchObject({ code: "provider_denied" });
  expect([expired.fired > 0, removal.fired]).toEqual([true, 1]);
  expired.remove();
  const arrived = onlyUpload().size;
  expect(arrived).toBeGreaterThan(0);
  server.seen.length = 0;
  await resume();
  expect(sent("UploadPart")).toBe(PARTS - arrived);
  expectDone();
});

test("the parts under way when one fails come to their end, so that they need not be sent again", async () => {
  const failing = server.faults.add("UploadPart", { kind: "answer", reply: { status: 503 } }, { nth: 1 });
  await expect(resume()).rejects.toMatchObject({ code: "provider_unavailable" });
  expect(failing.fired).toBe(1);
  expect(partsRecorded()).toBe(sent("UploadPart") - 1);
});

test("parts that go out one after the other do not wait for each other's answers", async () => {
  const limits = { ...SMALL_LIMITS, partBytesMin: 2 * MIB, partsAtOnce: 3, partsSentAtOnce: 1 };
  const settings = readS3Settings(server.settingsFor("studio"));
  const inPieces = openS3Provider(settings, { newHasher, streamsKnownLength: true }, { limits });
  const controller = new AbortController();
  const large = someBytes(6 * MIB, 3);
  const silent = server.faults.add("UploadPart", { kind: "hang" }, { times: 2 });
  const third = server.faults.add("UploadPart", { kind: "after", run: () => controller.abort() });
  await expect(resume(large, { signal: controller.signal }, inPieces)).rejects.toMatchObject({ code: "aborted" });
  expect([silent.fired, third.fired]).toEqual([2, 1]);
  await resume(large, {}, inPieces);
  expectDone(large);
});

describe("what puts have left is removed", () => {
  const under = (prefix: string) =>
    [...bucket.uploads.values()].map(({ key }) => key).filter((key) => key.startsWith(prefix));

  test("by its records, which are empty then", async () => {
    await failAt(5);
    await open().unfinished?.discard(records);
    expect([bucket.uploads.size, records.all]).toEqual([0, []]);
    await open().unfinished?.discard(records);
    expect(sent("AbortMultipartUpload")).toBe(1);
  });

  test("but its records stay when it cannot be", async () => {
    await failAt(5);
    const fault = server.faults.add("AbortMultipartUpload", { kind: "answer", reply: { status: 403 } });
    await expect(open().unfinished?.discard(records)).rejects.toMatchObject({ code: "provider_denied" });
    expect(fault.fired).toBe(1);
    expect(records.all.length).toBeGreaterThan(0);
  });

  test("under the prefix alone, over many pages, with keys of any characters", async () => {
    for (const key of ["dev/a", "dev/a", "dev/b c+d%2F", "dev/é\u0001", "dev/z/1", "dev/z/2", "dev/z/3"])
      bucket.begin(key, {});
    for (const key of ["deve/x", "dew", "Dev/a", "z"]) bucket.begin(key, {});
    await open().unfinished?.discardOthers("dev/", () => undefined);
    expect(under("dev/")).toEqual([]);
    expect(bucket.uploads.size).toBe(4);
  });

  test("except what the records of its key lead to", async () => {
    await failAt(5);
    const recorded = [...bucket.uploads.keys()];
    bucket.begin("film", {});
    bucket.begin("film 2", {});
    await open().unfinished?.discardOthers("film", (key) => (key === "film" ? records : undefined));
    expect([...bucket.uploads.keys()]).toEqual(recorded);
    await resume();
    expectDone();
  });

  test("and a store that does not look at the prefix removes nothing else", async () => {
    const id = bucket.begin("other", {});
    const body = `<?xml version="1.0"?><ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>other</Key><UploadId>${id}</UploadId></Upload></ListMultipartUploadsResult>`;
    const fault = server.faults.add("ListMultipartUploads", { kind: "answer", reply: { status: 200, body } });
    await open().unfinished?.discardOthers("dev/", () => undefined);
    expect(fault.fired).toBe(1);
    expect(bucket.uploads.has(id)).toBe(true);
  });
});
