import { afterAll } from "bun:test";
import { bunPlatform } from "../../../src/platform/bun/bun-platform.ts";
import { S3_LIMITS } from "../../../src/providers/s3/limits.ts";
import { openS3Provider } from "../../../src/providers/s3/s3-provider.ts";
import { readS3Settings } from "../../../src/providers/s3/settings.ts";
import { type S3Server, type S3ServerOptions, startS3Server } from "../../services/s3-server.ts";
import { conformanceTests } from "../../support/conformance-tests.ts";

const MIB = 1024 * 1024;
const { newHasher } = bunPlatform();
const limits = { ...S3_LIMITS, singlePutBytesMax: MIB, partBytesMin: MIB, copyBytesMax: 2 * MIB, copyPartBytes: MIB };

await s3Tests("s3 on a server like AWS", { quirks: { partBytesMin: MIB } });
await s3Tests("s3 on a server like RGW", {
  quirks: { partBytesMin: MIB, bareIfMatch: true, ignoresCopySourceIfMatch: true, pageKeysMax: 100 },
});

async function s3Tests(name: string, options: S3ServerOptions): Promise<void> {
  const server = await startS3Server(options);
  afterAll(() => server.stop());
  server.createBucket("studio");
  await conformanceTests(name, () => openOn(server), {
    newHasher,
    largeObjectBytes: [MIB, MIB + 1, 3 * MIB],
    secrets: [server.accessKeyId, server.secretAccessKey],
    openMissingContainer: () => openOn(server, { bucket: "missing" }),
    openDenied: () => openOn(server, { aws_secret_access_key: "wrong" }),
    beginOutage: async () => {
      const outage = server.faults.add("*", { kind: "answer", reply: { status: 503 } }, { times: Infinity });
      return { requests: () => outage.fired, end: async () => outage.remove() };
    },
    refuseDelete: async (key) => {
      server.undeletable.add(key);
      return async () => void server.undeletable.delete(key);
    },
  });
}

async function openOn(server: S3Server, settings: Readonly<Record<string, unknown>> = {}) {
  const read = readS3Settings({ ...server.settingsFor("studio"), ...settings });
  return openS3Provider(read, { newHasher }, { limits });
}
