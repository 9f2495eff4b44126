import type { VaultStorage, VaultUpdate } from "./vault-storage.ts";

export interface TextVaultStorage extends VaultStorage {
  /** The vault as it is now; undefined when there is none. */
  text(): string | undefined;
}

/** A vault in memory, begun from `content`: for workers that hold it in a binding, and for tests. */
export function textVaultStorage(content?: string | Uint8Array): TextVaultStorage {
  let current = typeof content === "string" ? new TextEncoder().encode(content) : content?.slice();
  let last: Promise<unknown> = Promise.resolve();
  const update = async <T>(fn: (bytes: Uint8Array | undefined) => Promise<VaultUpdate<T>>): Promise<T> => {
    const { write, result } = await fn(current?.slice());
    if (write !== undefined) current = write.slice();
    return result;
  };
  return {
    text: () => (current === undefined ? undefined : new TextDecoder().decode(current)),
    read: () => Promise.resolve(current?.slice()),
    update: (fn) => {
      const turn = last.then(() => update(fn));
      // The next waits for this one whether it fails or not; the failure is the caller's.
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}
