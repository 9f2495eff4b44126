import { SyncError, toSyncError } from "../../core/errors.ts";
import type { DeleteOutcome } from "../contract.ts";
import { atMost } from "../../core/at-most.ts";
import type { Catalog } from "./catalog.ts";
import type { DriveConnection } from "./connection.ts";
import type { DriveFile } from "./drive-file.ts";
import { type DrivePlace, isUnclaimed, placeOf } from "./names.ts";
import type { RecentFiles } from "./recent-files.ts";
import { statusOf } from "./refusal.ts";

interface Order {
  readonly key: string;
  readonly place: DrivePlace;
}

/** Deletes keys, each with all its files. */
export class Deletion {
  readonly #connection: DriveConnection;
  readonly #catalog: Catalog;
  readonly #recent: RecentFiles;
  /** Deleting for good was refused: from then on files go to the trash at once. */
  #onlyTrash = false;

  constructor(connection: DriveConnection, catalog: Catalog, recent: RecentFiles) {
    this.#connection = connection;
    this.#catalog = catalog;
    this.#recent = recent;
  }

  /** One outcome a key, in order. @throws SyncError what the very first request of all met; `aborted` */
  async delete(keys: readonly string[], signal: AbortSignal | undefined): Promise<readonly DeleteOutcome[]> {
    const { settings, limits } = this.#connection;
    const errors = new Map<string, SyncError>();
    const orders: Order[] = [];
    for (const key of new Set(keys)) {
      const place = placeOf(key, settings.base);
      if (typeof place === "string") errors.set(key, new SyncError("key_invalid", `the key ${place}`));
      else orders.push({ key, place });
    }
    const [first, ...others] = orders;
    // The first by itself: when it fails nothing has been tried, and the caller may repeat the whole call.
    if (first !== undefined) await this.#deleteKey(first, signal);
    await atMost(
      () => limits.deletesAtOnce,
      others,
      async (order) => {
        try {
          await this.#deleteKey(order, signal);
        } catch (thrown) {
          const error = toSyncError(thrown);
          if (error.code === "aborted" || error.code === "internal") throw thrown;
          errors.set(order.key, error);
        }
      },
    );
    return keys.map((key) => {
      const error = errors.get(key);
      return error === undefined ? { key } : { key, error };
    });
  }

  async #deleteKey({ key, place }: Order, signal: AbortSignal | undefined): Promise<void> {
    const known = this.#catalog.known(key);
    let gone = 0;
    for (const file of known) if (!(await this.removeFile(key, place, file, signal))) gone++;
    // What was known is not there any more: another writer may have put the key anew.
    if (known.length === 0 || gone > 0) {
      for (const file of await this.#catalog.search(key, place, signal))
        await this.removeFile(key, place, file, signal);
    }
    this.#catalog.isAbsent(key);
  }

  /**
   * For good, or into the trash where that is not allowed or the file is the Python studio's. False when it was gone.
   * @throws SyncError `provider_denied` when neither is allowed; what Drive throws
   */
  async removeFile(key: string, place: DrivePlace, file: DriveFile, signal: AbortSignal | undefined): Promise<boolean> {
    const { legacy } = this.#catalog;
    const isForeign = place.kind === "object" && isUnclaimed(file);
    const keeps = isForeign && !(await legacy.areOf(place.snapshot, signal));
    const was = keeps || (isForeign ? await this.#trash(file.id, signal) : await this.#remove(file.id, signal));
    this.#catalog.removed(key, file.id);
    await this.#recent.ends(key);
    return was;
  }

  async #remove(id: string, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#onlyTrash) return await this.#trash(id, signal);
    try {
      await this.#catalog.files.remove(id, signal);
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      if (statusOf(error) !== 403 || toSyncError(error).code !== "provider_denied") throw error;
    }
    const was = await this.#trash(id, signal);
    this.#onlyTrash = true;
    return was;
  }

  async #trash(id: string, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      await this.#catalog.files.update(id, { trashed: true }, signal);
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }
}
