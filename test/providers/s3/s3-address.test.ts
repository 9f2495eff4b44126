import { describe, expect, test } from "bun:test";
import { addressOf, encodeKey, identityOf, pathOf, s3KeyFault, versionOf } from "../../../src/providers/s3/address.ts";
import { readS3Settings } from "../../../src/providers/s3/settings.ts";

const GOOD = { bucket: "studio", aws_access_key_id: "AKIA", aws_secret_access_key: "c2VjcmV0" };

function urlOf(key: string, settings: Readonly<Record<string, unknown>> = {}): string {
  const address = addressOf(readS3Settings({ ...GOOD, ...settings }));
  return `${address.origin}${pathOf(address, key)}`;
}

describe("a request goes to", () => {
  test("the bucket's own host on AWS", () =>
    expect(urlOf("a/b")).toBe("https://studio.s3.us-east-1.amazonaws.com/a/b"));
  test("the bucket's folder on an endpoint of one's own, its path and port kept", () => {
    expect(urlOf("a", { endpoint_url: "http://nas.lan:9000/storage/s3/" })).toBe(
      "http://nas.lan:9000/storage/s3/studio/a",
    );
  });
});

test("every key gets its own URL: what URL parsers change or cut is encoded", () => {
  expect(encodeKey("a b+c%2F?d#e/'(f)!*~é😀\n")).toBe("a%20b%2Bc%252F%3Fd%23e/%27%28f%29%21%2A~%C3%A9%F0%9F%98%80%0A");
  for (const key of ["a//b", "/lead", "trail/", "a\\b", "a;b=c", "[x]", "a\tb"]) {
    expect(new URL(`http://h/bucket/${encodeKey(key)}`).pathname).toBe(`/bucket/${encodeKey(key)}`);
  }
});

describe("a key that cannot arrive as it is is refused", () => {
  for (const key of ["", ".", "..", "a/../b", "./a", "a/.", "\ud800", "a\0b", "é".repeat(513)]) {
    test(JSON.stringify(key.slice(0, 20)), () => expect(s3KeyFault(key)).toBeString());
  }
  for (const key of ["é".repeat(512), "a".repeat(1024), "...", "a/.b", "..a/b..", "x\u0001"]) {
    test(`${JSON.stringify(key.slice(0, 20))} is not`, () => expect(s3KeyFault(key)).toBeUndefined());
  }
});

test("the identity tells destinations apart and holds no secret", () => {
  const identity = identityOf(readS3Settings({ ...GOOD, endpoint_url: "https://nas.lan/s3/" }));
  expect(identity).toBe("s3:https://nas.lan/s3/studio");
  expect(identityOf(readS3Settings({ ...GOOD, region: "eu-central-1" }))).not.toBe(identityOf(readS3Settings(GOOD)));
});

test("a version has no quotes: RGW matches no other", () => {
  expect(versionOf('"abc-3"')).toBe("abc-3");
  expect(versionOf('W/"abc"')).toBe("abc");
  expect(versionOf("abc")).toBe("abc");
});
