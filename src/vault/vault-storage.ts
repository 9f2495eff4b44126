/** Where the vault's bytes lie. The vault itself knows no file system, so that it runs on the edge over a given text. */
export interface VaultStorage {
  /** undefined when there is no vault. @throws SyncError `vault_too_large`, `file_unreadable` */
  read(): Promise<Uint8Array | undefined>;
  /**
   * Runs `fn` on the current bytes and keeps what it returns as `write`, with no other update in between, in this
   * process or another. Nothing changes when `fn` throws or returns no `write`; a crash leaves the old bytes or the new.
   * @throws SyncError `vault_busy` when others hold the vault too long, and what `fn` throws
   */
  update<T>(fn: (current: Uint8Array | undefined) => Promise<VaultUpdate<T>>): Promise<T>;
}

export interface VaultUpdate<T> {
  readonly write?: Uint8Array;
  readonly result: T;
}
