/**
 * A provider keeps bytes under keys. It knows nothing of plans, snapshots or manifests.
 *
 * What every provider promises; providers/conformance holds each to it:
 *
 *  1. `put` stores exactly the bytes whose SHA-256 is `sha256`, or stores nothing and throws `content_mismatch`. A
 *     reader never sees part of an object: the old bytes or the new ones, whole.
 *  2. After `put` resolves, `get`, `stat` and `list` show the object.
 *  3. `get` and `stat` answer undefined only when that key does not exist in a container that does. A missing bucket, a
 *     refused request or an unreadable folder throws: emptiness is never guessed.
 *  4. `list` gives every key under the prefix exactly once, or throws; a listing cut short never looks complete.
 *  5. `delete` reports each key's own outcome. Deleting what is not there succeeds.
 *  6. With `conditionalPut`, of several writers with `{ kind: "absent" }`, or with the same `{ kind: "version" }`, one
 *     wins and the others get `precondition_failed`; so does `version` for a key that does not exist. Without the
 *     capability a put with a precondition throws `provider_unsupported`: it is never quietly ignored.
 *  7. Every key that `keyFault` accepts comes back from `list` as the same string, whatever characters it holds, and
 *     two different keys are two objects. Where the store cannot tell them apart (a file system that ignores case) the
 *     second `put` throws `key_collision`. `put` and `copy` to a key that `keyFault` refuses throw `key_invalid`.
 *  8. Errors are SyncErrors from the table in `retry-table.ts`: `retryable` says whether a repeat can help. No error,
 *     and nothing else a provider returns, holds a credential, a signature or a remote body.
 *  9. A provider retries nothing itself (retry.ts does) and reads no ambient credential, profile or environment
 *     variable.
 * 10. An aborted signal ends a call with `aborted` and leaves no partial object visible.
 * 11. Records given as `resume` are a help and no proof: whatever is in them, what a put stores keeps promise 1. After a
 *     put that succeeds, or that a repeat cannot help, they are empty and nothing unfinished is left in the store.
 */
import type { SyncError } from "../core/errors.ts";
import type { NewHasher } from "../core/hash.ts";
import type { JsonObject } from "../core/json.ts";
import type { Pacer } from "../core/pacer.ts";
import type { Files } from "../platform/contract.ts";

export interface Provider {
  readonly service: string;
  readonly capabilities: Capabilities;
  /** The destination without secrets, stable across runs: two providers with the same identity see the same objects. */
  readonly identity: string;

  /** Why this provider cannot hold `key`, or undefined when it can. */
  keyFault(key: string): string | undefined;
  put(key: string, source: ByteSource, options: PutOptions): Promise<ObjectInfo>;
  get(key: string, options?: GetOptions): Promise<ObjectContent | undefined>;
  stat(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>;
  /** Every object whose key starts with `prefix`, in no promised order. */
  list(prefix: string, options?: CallOptions): AsyncIterable<ObjectInfo>;
  /**
   * One outcome a key, in the order given: without `error` when done. Any number of keys: a provider sends as many
   * requests of at most `deleteBatchMax` keys as it takes. Throws only when nothing was tried.
   */
  delete(keys: readonly string[], options?: CallOptions): Promise<readonly DeleteOutcome[]>;
  /**
   * Copies inside the store; no content passes through here. With `ifVersion` only that version of `from` is copied.
   * @throws `object_missing`, `precondition_failed`, `provider_unsupported` without the capability
   */
  copy(from: string, to: string, options: CopyOptions): Promise<ObjectInfo>;
  /**
   * The same, and `from` is gone when it is done. Absent where that is no less work than a copy and a delete
   * (see `serverSideMove`).
   * @throws as `copy`
   */
  move?(from: string, to: string, options: CopyOptions): Promise<ObjectInfo>;
  /** Versions that earlier calls answered, perhaps long ago: a help to find the objects at once, and no proof. */
  recall?(versions: Iterable<readonly [key: string, version: string]>): void;
  /** What the user should know of the destination, as far as calls have shown it. */
  notices?(): readonly string[];
  /** Absent where a put that ended early leaves nothing behind. */
  readonly unfinished?: UnfinishedPuts;
  /** Frees connections. */
  close(): Promise<void>;
}

/** What puts that ended early have left in the store: it cannot be seen, and costs room until it is removed. */
export interface UnfinishedPuts {
  /** Removes what `records` lead to, and clears them. */
  discard(records: UploadRecords, options?: CallOptions): Promise<void>;
  /**
   * Removes every unfinished put of a key that starts with `prefix`, except those that the records of their key lead to.
   * Also those of other machines: only for a caller who knows that nobody else is writing there.
   */
  discardOthers(
    prefix: string,
    recordsOf: (key: string) => UploadRecords | undefined,
    options?: CallOptions,
  ): Promise<void>;
}

export interface Capabilities {
  /** `put` honours preconditions. */
  readonly conditionalPut: boolean;
  /** Where promise 6 has a hole that no client can close: what the user should know of it. */
  readonly conditionalPutCaveat?: string;
  readonly serverSideCopy: boolean;
  /** There is a `move`. Default false. */
  readonly serverSideMove?: boolean;
  /** `list` tells `sha256` wherever the store has computed one. Default false. */
  readonly listsSha256?: boolean;
  /** An object cannot have a key that is a folder of another key (file systems): `a` and `a/b` exclude each other. */
  readonly hierarchicalKeys: boolean;
  /** Most keys one request of `delete` carries: how many a caller gives at a time to see progress. */
  readonly deleteBatchMax: number;
  /** The largest object, bytes. */
  readonly objectBytesMax: number;
}

/** Bytes that can be read again from any place: a retry reads them anew. */
export interface ByteSource {
  readonly size: number;
  /** Opens for one attempt. @throws `file_missing`, `file_unreadable` */
  open(): Promise<OpenSource>;
}

export interface OpenSource {
  /** Exactly `length` bytes from `offset`. @throws `file_changed` when the source has become shorter */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** The same filling `into`, so that memory can be used again. @throws `file_changed` when it cannot be filled */
  readInto?(offset: number, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface PutOptions extends CallOptions {
  /** SHA-256 of the whole source, lower-case hex. */
  readonly sha256: string;
  readonly contentType?: string;
  readonly precondition?: Precondition;
  /**
   * Content bytes handed to the network since the last call, or found to have arrived earlier (`resume`): all together
   * are the source's size. A retried attempt reports its bytes again as negative.
   */
  readonly onBytes?: (bytes: number) => void;
  /**
   * Where the provider keeps what a later put of the same content to the same key needs to go on where this one ends.
   * Kept for a failure that a repeat may help and for an abort; ignored where puts cannot be resumed.
   */
  readonly resume?: UploadRecords;
}

/**
 * The records of one key in one destination, in the provider's own words, oldest first. For one put at a time. None of
 * the calls throws: records that cannot be kept or read cost a put from the beginning and nothing else.
 */
export interface UploadRecords {
  /** Those that were kept whole. */
  load(): Promise<readonly JsonObject[]>;
  /** When it resolves a killed process does not lose the record. */
  add(record: JsonObject): Promise<void>;
  clear(): Promise<void>;
}

export type Precondition = { readonly kind: "absent" } | { readonly kind: "version"; readonly version: string };

export interface CopyOptions extends CallOptions {
  readonly ifVersion?: string;
}

export interface GetOptions extends CallOptions {
  /**
   * First byte and how many; to the end without `length`. A range that reaches past the end stops there; one that
   * starts at or past the end, or is 0 long, has an empty body.
   */
  readonly range?: { readonly offset: number; readonly length?: number };
}

export interface ObjectInfo {
  readonly key: string;
  /** Bytes of the whole object, whatever range was asked for. */
  readonly size: number;
  /** Opaque; changes when the content does. Accepted back as a precondition. */
  readonly version: string;
  /** Of the content, lower-case hex, where the store itself has computed it. */
  readonly sha256?: string;
}

export interface ObjectContent extends ObjectInfo {
  /**
   * Of the range asked for. Errors while it is read are SyncErrors. Whoever gets it reads it to its end or cancels it.
   */
  readonly body: ReadableStream<Uint8Array>;
}

export interface DeleteOutcome {
  readonly key: string;
  readonly error?: SyncError;
}

/** What the composition root hands to a provider when it opens one. */
export interface ProviderContext {
  readonly newHasher: NewHasher;
  /** Waited for before each piece of content is handed on, so that no more goes out than the user's line may carry. */
  readonly pacer?: Pacer;
  /** fetch sends a stream with the Content-Length that it is given (Bun), and not in chunks of unknown number. */
  readonly streamsKnownLength?: boolean;
  /** Absent where there is no file system (edge). */
  readonly files?: Files;
  /**
   * A folder of this machine for what a provider remembers between runs, each below its service's name; made when first
   * written. Never written by calls that only read, and losing it costs nothing but a check or time.
   */
  readonly stateFolder?: string;
  /**
   * Who writes, for what a writer leaves in the store to keep others out: the same after a kill, another one for every
   * other snapshot, in every other workspace and on every other machine. Default: one of this provider alone.
   */
  readonly writer?: () => Promise<string>;
  /** `http://127.0.0.1:PORT` of a test's own server that stands for all of Google's (docs/CLOUD_SYNC.md). */
  readonly testDriveUrl?: string;
}

/** Settings of one destination, credentials included: the vault's entry with the request's own settings over it. */
export type ProviderSettings = Readonly<Record<string, unknown>>;

/** What a provider's module exports as `openProvider`. @throws SyncError `provider_config`, `credentials_missing` */
export type OpenProvider = (settings: ProviderSettings, context: ProviderContext) => Promise<Provider>;
