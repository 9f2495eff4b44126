import { SyncError } from "../../core/errors.ts";

export interface MemoryObject {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly version: string;
}

/** What a store may answer to every request instead of serving it. */
export type MemoryRefusal = "provider_unavailable" | "provider_container_missing" | "provider_denied";

/**
 * What several memory providers share, as machines share a bucket. Tests look into it, and script its troubles:
 * `undeletable` keys and `refuse`.
 */
export class MemoryStore {
  readonly objects = new Map<string, MemoryObject>();
  /** Keys that `delete` refuses with `provider_denied`. */
  readonly undeletable = new Set<string>();
  #versions = 0;
  #refusal: MemoryRefusal | undefined;
  #refused = 0;

  /** Stores `bytes` under a version that no object of this store had before. */
  write(key: string, bytes: Uint8Array<ArrayBuffer>): MemoryObject {
    const object = { bytes, version: `v${++this.#versions}` };
    this.objects.set(key, object);
    return object;
  }

  /** From now on every request fails with `code`; undefined: is served again. */
  refuse(code: MemoryRefusal | undefined): void {
    this.#refusal = code;
    this.#refused = 0;
  }

  /** Requests that failed since the last `refuse`. */
  get refusedRequests(): number {
    return this.#refused;
  }

  /** One request arrives. @throws SyncError what `refuse` was told */
  request(): void {
    if (this.#refusal === undefined) return;
    this.#refused++;
    throw new SyncError(this.#refusal, "the memory store refuses", {
      retryable: this.#refusal === "provider_unavailable",
    });
  }
}
