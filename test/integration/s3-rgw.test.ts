import { afterAll, describe, expect, setSystemTime, test } from "bun:test";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { sourceOf } from "../../src/providers/conformance/sources.ts";
import { S3Connection } from "../../src/providers/s3/connection.ts";
import { S3_LIMITS } from "../../src/providers/s3/limits.ts";
import { openProvider, openS3Provider } from "../../src/providers/s3/s3-provider.ts";
import { readS3Settings } from "../../src/providers/s3/settings.ts";
import { cephRgw, type CephRgw } from "../services/ceph-rgw.ts";
import { bytesOf, sha256Of, utf8 } from "../support/contents.ts";
import { conformanceTests } from "../support/conformance-tests.ts";

const MIB = 1024 * 1024;
const { newHasher } = bunPlatform();
const limits = {
  ...S3_LIMITS,
  singlePutBytesMax: 5 * MIB,
  partBytesMin: 5 * MIB,
  copyBytesMax: 6 * MIB,
  copyPartBytes: 5 * MIB,
};

const rgw = await cephRgw();
if (rgw !== undefined) await testsOn(rgw);

async function testsOn(server: CephRgw): Promise<void> {
  const bucket = await server.createBucket();
  afterAll(() => server.removeBucket(bucket));
  const open = async (settings: Readonly<Record<string, unknown>> = {}) =>
    openS3Provider(readS3Settings({ ...server.settingsFor(bucket), ...settings }), { newHasher }, { limits });

  await conformanceTests("s3 on Ceph RGW", open, {
    newHasher,
    largeObjectBytes: [5 * MIB, 5 * MIB + 1, 11 * MIB],
    secrets: [server.secretAccessKey],
    openMissingContainer: () => open({ bucket: "comfyvn-test-missing" }),
    openDenied: () => open({ aws_secret_access_key: "wrong" }),
  });

  describe("a real S3 server", () => {
    test("refuses content that is not what was signed", async () => {
      const connection = new S3Connection(readS3Settings(server.settingsFor(bucket)), limits, { newHasher });
      const sent = connection.send({
        method: "PUT",
        key: "damaged",
        body: utf8("other"),
        bodySha256: sha256Of(utf8("signed")),
      });
      await expect(sent).rejects.toMatchObject({ code: "content_mismatch", retryable: true });
      expect(await (await open()).stat("damaged")).toBeUndefined();
    });

    test("is reached with a clock that is hours wrong", async () => {
      const provider = await open();
      setSystemTime(new Date(Date.now() - 5 * 3_600_000));
      try {
        const content = utf8("late");
        await provider.put("skewed", sourceOf(content), { sha256: sha256Of(content) });
        expect((await provider.stat("skewed"))?.size).toBe(content.length);
      } finally {
        setSystemTime();
      }
    });

    test("is left without a multipart upload when the content is not what was hashed", async () => {
      const put = (await open()).put("half", sourceOf(new Uint8Array(11 * MIB)), { sha256: sha256Of(utf8("else")) });
      await expect(put).rejects.toMatchObject({ code: "content_mismatch" });
      expect(await server.uploads(bucket)).toEqual([]);
    });

    test("takes an object of several parts in the sizes the product uses", async () => {
      const provider = await openProvider(server.settingsFor(bucket), { newHasher });
      const content = new Uint8Array(S3_LIMITS.singlePutBytesMax + 1).fill(7);
      const info = await provider.put("large", sourceOf(content), { sha256: sha256Of(content) });
      expect(info.size).toBe(content.length);
      const read = await provider.get("large");
      expect(read === undefined ? undefined : sha256Of(await bytesOf(read.body))).toBe(sha256Of(content));
    });
  });
}
