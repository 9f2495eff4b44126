import { bunPlatform } from "../../../src/platform/bun/bun-platform.ts";
import { sourceOf } from "../../../src/providers/conformance/sources.ts";
import type { ObjectInfo, Provider, ProviderContext, PutOptions } from "../../../src/providers/contract.ts";
import { openDriveProvider } from "../../../src/providers/gdrive/drive-provider.ts";
import { DRIVE_LIMITS, type DriveLimits } from "../../../src/providers/gdrive/limits.ts";
import { readDriveSettings } from "../../../src/providers/gdrive/settings.ts";
import type { DriveFake } from "../../fakes/drive/drive-fake.ts";
import { sha256Of } from "../../support/contents.ts";

export const { newHasher } = bunPlatform();

export const KIB = 1024;

/** The product's own limits scaled down, so that an upload of several chunks fits into a test. */
const SMALL_LIMITS: DriveLimits = {
  ...DRIVE_LIMITS,
  multipartBytesMax: 200 * KIB,
  chunkBytesMin: 256 * KIB,
  abortMs: 2_000,
};

/** What the vault would hold for a fake's shared drive. */
function settingsFor(fake: DriveFake): Record<string, unknown> {
  return { parent_id: fake.drive.id, scopes: "drive", credentials: fake.account.file };
}

export interface OpenOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly limits?: Partial<DriveLimits>;
  readonly context?: Partial<ProviderContext>;
}

/** A provider of the fake's shared drive, without retries. */
export function openOn(fake: DriveFake, { settings = {}, limits = {}, context = {} }: OpenOptions = {}): Provider {
  return openDriveProvider(
    readDriveSettings({ ...settingsFor(fake), ...settings }),
    { newHasher, testDriveUrl: fake.url, streamsKnownLength: true, ...context },
    { ...SMALL_LIMITS, ...limits },
  );
}

/** Puts `content` with its own hash. */
export function put(
  provider: Provider,
  key: string,
  content: Uint8Array | string,
  options: Partial<PutOptions> = {},
): Promise<ObjectInfo> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return provider.put(key, sourceOf(bytes), { sha256: sha256Of(bytes), ...options });
}

/** The whole object as text; undefined when there is none. */
export async function textOf(provider: Provider, key: string): Promise<string | undefined> {
  const content = await provider.get(key);
  return content === undefined
    ? undefined
    : await new Response(content.body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

export async function keysOf(provider: Provider, prefix = ""): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of provider.list(prefix)) keys.push(key);
  return keys.toSorted();
}
