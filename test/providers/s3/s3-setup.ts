import { afterAll } from "bun:test";
import { bunPlatform } from "../../../src/platform/bun/bun-platform.ts";
import { sourceOf } from "../../../src/providers/conformance/sources.ts";
import type { ObjectInfo, Provider, PutOptions } from "../../../src/providers/contract.ts";
import { S3_LIMITS, type S3Limits } from "../../../src/providers/s3/limits.ts";
import { openS3Provider } from "../../../src/providers/s3/s3-provider.ts";
import { readS3Settings } from "../../../src/providers/s3/settings.ts";
import type { Bucket } from "../../services/s3/s3-store.ts";
import { type S3Server, type S3ServerOptions, startS3Server } from "../../services/s3-server.ts";
import { sha256Of } from "../../support/contents.ts";

export const { newHasher } = bunPlatform();

export const MIB = 1024 * 1024;

/** The product's own limits scaled down, so that parts and batches fit into a test. */
export const SMALL_LIMITS: S3Limits = {
  ...S3_LIMITS,
  singlePutBytesMax: 1024,
  partBytesMin: 1024,
  partBytesPreferredMax: 4 * MIB,
  copyBytesMax: 2048,
  copyPartBytes: 1024,
  deleteBatchMax: 3,
  abortMs: 2_000,
};

export interface S3Setup {
  readonly server: S3Server;
  readonly bucket: Bucket;
  /** A provider of the bucket `studio`, with `settings` and `limits` over the ordinary ones. */
  readonly open: (settings?: Readonly<Record<string, unknown>>, limits?: Partial<S3Limits>) => Provider;
}

/** A server of one test file with a bucket, stopped when the file ends. */
export async function setUpS3(options: S3ServerOptions = {}): Promise<S3Setup> {
  const server = await startS3Server({ ...options, quirks: { partBytesMin: 1024, ...options.quirks } });
  afterAll(() => server.stop());
  const bucket = server.createBucket("studio");
  return {
    server,
    bucket,
    open: (settings = {}, limits = {}) =>
      openS3Provider(
        readS3Settings({ ...server.settingsFor("studio"), ...settings }),
        { newHasher },
        { limits: { ...SMALL_LIMITS, ...limits } },
      ),
  };
}

/** Puts `bytes` with their own hash. */
export function put(
  provider: Provider,
  key: string,
  bytes: Uint8Array,
  options: Partial<PutOptions> = {},
): Promise<ObjectInfo> {
  return provider.put(key, sourceOf(bytes), { sha256: sha256Of(bytes), ...options });
}

export async function keysOf(provider: Provider, prefix = ""): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of provider.list(prefix)) keys.push(key);
  return keys;
}
