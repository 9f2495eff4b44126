import { SyncError, throwIfAborted } from "../../../src/core/errors.ts";
import { newPortableHasher } from "../../../src/core/hash.ts";
import type { ByteSource, Capabilities, ObjectInfo, Provider } from "../../../src/providers/contract.ts";
import { openMemoryProvider } from "../../../src/providers/memory/memory-provider.ts";
import type { MemoryStore } from "../../../src/providers/memory/memory-store.ts";

/** A memory provider with one fault, and the conformance cases that must notice it. */
export interface Mutant {
  /** What it does wrong, as a provider's author would do it. */
  readonly fault: string;
  readonly caughtBy: readonly string[];
  readonly capabilities?: Partial<Capabilities>;
  /** The verbs that differ from `honest`. Called once for each provider; `store` is shared by all of them. */
  mutate(honest: Provider, store: MemoryStore): Partial<Provider>;
}

export function openMutant(mutant: Mutant, store: MemoryStore): Provider {
  const honest = openMemoryProvider({ store, capabilities: mutant.capabilities ?? {} });
  return { ...honest, ...mutant.mutate(honest, store) };
}

/** All the source has up to `size`, however short. Closes it. */
export async function drain(source: ByteSource, size = source.size): Promise<Uint8Array<ArrayBuffer>> {
  const opened = await source.open();
  try {
    return new Uint8Array(await opened.read(0, size));
  } finally {
    await opened.close();
  }
}

export function sha256(bytes: Uint8Array): string {
  const hasher = newPortableHasher();
  hasher.update(bytes);
  return hasher.digestHex();
}

/** Stores without a question asked. */
export function write(store: MemoryStore, key: string, bytes: Uint8Array<ArrayBuffer>): ObjectInfo {
  return { key, size: bytes.length, version: store.write(key, bytes).version };
}

/** `bytes` as a source that a second put can read. */
export function sourceFrom(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    open: async () => ({
      read: async (offset, length) => bytes.slice(offset, offset + length),
      close: async () => undefined,
    }),
  };
}

/** Lets every other task that is ready run. */
export async function aTurn(): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
}

export async function collect(provider: Provider, prefix: string, signal?: AbortSignal): Promise<ObjectInfo[]> {
  throwIfAborted(signal);
  const infos: ObjectInfo[] = [];
  for await (const info of provider.list(prefix)) infos.push(info);
  return infos;
}

export function mismatch(): SyncError {
  return new SyncError("content_mismatch", "the bytes do not have the SHA-256 they were announced with");
}

/** `call`, but undefined where it throws `code`. */
export async function orUndefined<T>(code: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof SyncError && error.code === code) return undefined;
    throw error;
  }
}
