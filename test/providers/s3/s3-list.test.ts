import { describe, expect, test } from "bun:test";
import { utf8 } from "../../support/contents.ts";
import { keysOf, put, setUpS3 } from "./s3-setup.ts";

const { server, bucket, open } = await setUpS3({ quirks: { pageKeysMax: 2 } });
const plain = await setUpS3({ quirks: { ignoresEncodingType: true } });

const KEYS = ["a b", "a+b", "a%20b", "B", "Z", "é", "\u{1f600}", "\ufffd", "x\u0001y", "n\nl", "a//b", "c&d<e>'\""];
for (const key of KEYS) await put(open(), key, utf8(key));

function page(content: string): string {
  return `<?xml version="1.0"?><ListBucketResult><Name>studio</Name>${content}</ListBucketResult>`;
}

const CONTENTS = "<Contents><Key>k</Key><Size>1</Size><ETag>e</ETag></Contents>";

async function listingFails(body: string, nth = 1): Promise<void> {
  const fault = server.faults.add("ListObjectsV2", { kind: "answer", reply: { status: 200, body } }, { nth, times: 2 });
  await expect(keysOf(open())).rejects.toMatchObject({ code: "provider_error", retryable: true });
  expect(fault.fired).toBeGreaterThan(0);
  fault.remove();
}

test("every key comes once and as it was put, over many pages", async () => {
  const start = server.seen.length;
  expect((await keysOf(open())).toSorted()).toEqual(KEYS.toSorted());
  expect(server.seen.length - start).toBe(Math.ceil(KEYS.length / 2));
});

test("a store that does not encode keys has them taken as they are: no + is made a space", async () => {
  for (const key of ["a+b", "a%20b", "é"]) await put(plain.open(), key, utf8(key));
  expect((await keysOf(plain.open())).toSorted()).toEqual(["a%20b", "a+b", "é"]);
});

test("an object that vanishes where a page ends takes no other with it", async () => {
  const fault = server.faults.add("ListObjectsV2", { kind: "after", run: () => bucket.delete("B") }, { nth: 1 });
  const keys = await keysOf(open());
  expect(fault.fired).toBe(1);
  expect(keys.toSorted()).toEqual(KEYS.toSorted());
  await put(open(), "B", utf8("B"));
});

describe("a listing never looks complete when", () => {
  test("more follows but not where", () => listingFails(page(`<IsTruncated>true</IsTruncated>${CONTENTS}`)));

  test("it gives the same continuation again", () => {
    const body = page(`<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>${CONTENTS}`);
    return listingFails(body);
  });

  test("it is another document", () => listingFails('<?xml version="1.0"?><Other><Thing>1</Thing></Other>'));
  test("it is nothing", () => listingFails(""));
  test("it is cut short", () => listingFails(page(CONTENTS).slice(0, -30)));
  test("it has fewer keys than it says", () => {
    return listingFails(page(`<KeyCount>2</KeyCount><IsTruncated>false</IsTruncated>${CONTENTS}`));
  });
  test("an object has no size", () => {
    return listingFails(page("<IsTruncated>false</IsTruncated><Contents><Key>k</Key><ETag>e</ETag></Contents>"));
  });
  test("a key is not well encoded", () => {
    const contents = "<Contents><Key>%E9</Key><Size>1</Size><ETag>e</ETag></Contents>";
    return listingFails(page(`<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>${contents}`));
  });

  test("a page in the middle fails", async () => {
    const fault = server.faults.add("ListObjectsV2", { kind: "answer", reply: { status: 503 } }, { nth: 3 });
    await expect(keysOf(open())).rejects.toMatchObject({ code: "provider_unavailable" });
    expect(fault.fired).toBe(1);
  });

  test("the connection breaks inside a page", async () => {
    const fault = server.faults.add("ListObjectsV2", { kind: "half", reset: true }, { nth: 2 });
    await expect(keysOf(open())).rejects.toMatchObject({ code: "provider_unreachable" });
    expect(fault.fired).toBe(1);
  });
});

test("a key that a store repeats on the next page is one object", async () => {
  const first = page(`<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>${CONTENTS}`);
  const last = page(`<IsTruncated>false</IsTruncated>${CONTENTS}`);
  const one = server.faults.add("ListObjectsV2", { kind: "answer", reply: { status: 200, body: first } });
  const two = server.faults.add("ListObjectsV2", { kind: "answer", reply: { status: 200, body: last } });
  expect(await keysOf(open())).toEqual(["k"]);
  expect([one.fired, two.fired]).toEqual([1, 1]);
});
