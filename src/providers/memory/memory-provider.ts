import { SyncError, throwIfAborted } from "../../core/errors.ts";
import { type NewHasher, newPortableHasher, sha256Hex } from "../../core/hash.ts";
import type {
  ByteSource,
  Capabilities,
  DeleteOutcome,
  GetOptions,
  ObjectContent,
  ObjectInfo,
  Precondition,
  Provider,
  PutOptions,
} from "../contract.ts";
import { type MemoryObject, MemoryStore } from "./memory-store.ts";

export interface MemoryProviderOptions {
  /** Providers with the same store see the same objects. Default: a store of its own. */
  readonly store?: MemoryStore;
  /** What it shall not be able to do, e.g. `{ conditionalPut: false }`, to test against poorer stores. */
  readonly capabilities?: Partial<Capabilities>;
  /** Default @noble/hashes. */
  readonly newHasher?: NewHasher;
  /** Default `memory`. */
  readonly identity?: string;
}

const CHUNK_BYTES = 64 * 1024;
/** As S3, so that tests meet the limit of the most used store. */
const KEY_BYTES_MAX = 1_024;

/** The contract in its plainest form, for tests: nothing outlives the process. */
export function openMemoryProvider(options: MemoryProviderOptions = {}): Provider {
  const store = options.store ?? new MemoryStore();
  const newHasher = options.newHasher ?? newPortableHasher;
  const capabilities: Capabilities = {
    conditionalPut: true,
    serverSideCopy: true,
    hierarchicalKeys: false,
    deleteBatchMax: 100,
    objectBytesMax: 1024 ** 3,
    ...options.capabilities,
  };

  /** What every request meets: the user's abort, then the store's outage. */
  const request = (signal: AbortSignal | undefined): void => {
    throwIfAborted(signal);
    store.request();
  };

  const listedInfo = (key: string, object: MemoryObject): ObjectInfo => {
    if (capabilities.listsSha256 !== true) return infoOf(key, object);
    return { ...infoOf(key, object), sha256: sha256Hex(newHasher, object.bytes) };
  };

  return {
    service: "memory",
    identity: options.identity ?? "memory",
    capabilities,
    keyFault: memoryKeyFault,

    put: async (key, source, put) => {
      throwIfAborted(put.signal);
      checkKey(key);
      if (put.precondition !== undefined && !capabilities.conditionalPut) {
        throw new SyncError("provider_unsupported", "this store has no conditional writes");
      }
      if (source.size > capabilities.objectBytesMax)
        throw new SyncError("provider_unsupported", "the object is larger than the store takes");
      const bytes = await readSource(source, put, newHasher);
      request(put.signal);
      checkPrecondition(store.objects.get(key), put.precondition);
      return infoOf(key, store.write(key, bytes));
    },

    get: async (key, get = {}) => {
      request(get.signal);
      const object = store.objects.get(key);
      return object === undefined ? undefined : contentOf(key, object, get);
    },

    stat: async (key, { signal } = {}) => {
      request(signal);
      const object = store.objects.get(key);
      return object === undefined ? undefined : infoOf(key, object);
    },

    list: async function* (prefix, { signal } = {}) {
      request(signal);
      for (const [key, object] of [...store.objects]) {
        throwIfAborted(signal);
        if (key.startsWith(prefix)) yield listedInfo(key, object);
      }
    },

    delete: async (keys, { signal } = {}) => {
      request(signal);
      return keys.map((key) => deleteOne(store, key));
    },

    copy: async (from, to, { ifVersion, signal }) => {
      throwIfAborted(signal);
      checkKey(to);
      if (!capabilities.serverSideCopy)
        throw new SyncError("provider_unsupported", "this store has no server-side copy");
      request(signal);
      const object = store.objects.get(from);
      if (object === undefined) throw new SyncError("object_missing", "the object to copy does not exist");
      if (ifVersion !== undefined) checkPrecondition(object, { kind: "version", version: ifVersion });
      return infoOf(to, store.write(to, object.bytes));
    },

    ...(capabilities.serverSideMove === true
      ? {
          move: async (from, to, { ifVersion, signal }) => {
            throwIfAborted(signal);
            checkKey(to);
            request(signal);
            const object = store.objects.get(from);
            if (object === undefined) throw new SyncError("object_missing", "the object to move does not exist");
            if (ifVersion !== undefined) checkPrecondition(object, { kind: "version", version: ifVersion });
            store.objects.delete(from);
            return infoOf(to, store.write(to, object.bytes));
          },
        }
      : {}),

    close: async () => undefined,
  };
}

function memoryKeyFault(key: string): string | undefined {
  if (key === "") return "is empty";
  if (!key.isWellFormed()) return "is not valid Unicode";
  if (new TextEncoder().encode(key).length > KEY_BYTES_MAX) return `is longer than ${KEY_BYTES_MAX} bytes`;
  return undefined;
}

function checkKey(key: string): void {
  const fault = memoryKeyFault(key);
  if (fault !== undefined) throw new SyncError("key_invalid", `the key ${fault}`);
}

async function readSource(source: ByteSource, put: PutOptions, newHasher: NewHasher): Promise<Uint8Array<ArrayBuffer>> {
  const hasher = newHasher();
  const bytes = new Uint8Array(source.size);
  const opened = await source.open();
  try {
    for (let offset = 0; offset < source.size; ) {
      throwIfAborted(put.signal);
      const chunk = await opened.read(offset, Math.min(CHUNK_BYTES, source.size - offset));
      if (chunk.length === 0) throw new SyncError("file_changed", "the source has become shorter while it was read");
      hasher.update(chunk);
      bytes.set(chunk, offset);
      offset += chunk.length;
      put.onBytes?.(chunk.length);
    }
  } finally {
    await opened.close();
  }
  throwIfAborted(put.signal);
  if (hasher.digestHex() !== put.sha256)
    throw new SyncError("content_mismatch", "the bytes do not have the SHA-256 they were announced with");
  return bytes;
}

function checkPrecondition(object: MemoryObject | undefined, precondition: Precondition | undefined): void {
  if (precondition === undefined) return;
  const holds = precondition.kind === "absent" ? object === undefined : object?.version === precondition.version;
  if (!holds) throw new SyncError("precondition_failed", "another writer changed the object first");
}

function infoOf(key: string, object: MemoryObject): ObjectInfo {
  return { key, size: object.bytes.length, version: object.version };
}

function contentOf(key: string, object: MemoryObject, { range, signal }: GetOptions): ObjectContent {
  const from = range?.offset ?? 0;
  const wanted = object.bytes.slice(from, range?.length === undefined ? undefined : from + range.length);
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      throwIfAborted(signal);
      if (sent >= wanted.length) return controller.close();
      controller.enqueue(wanted.slice(sent, sent + CHUNK_BYTES));
      sent += CHUNK_BYTES;
    },
  });
  return { ...infoOf(key, object), body };
}

function deleteOne(store: MemoryStore, key: string): DeleteOutcome {
  if (store.undeletable.has(key))
    return { key, error: new SyncError("provider_denied", "the object is protected against deletion") };
  store.objects.delete(key);
  return { key };
}
