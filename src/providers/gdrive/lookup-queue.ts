import { orAborted } from "../transfer/or-aborted.ts";
import type { DriveFile } from "./drive-file.ts";
import type { DriveFiles } from "./drive-files.ts";
import type { DriveFolder } from "./folder.ts";
import type { DriveLimits } from "./limits.ts";
import { childrenQuery, type DrivePlace, queryFor } from "./names.ts";

interface Lookup {
  readonly query: string;
  readonly resolve: (found: readonly DriveFile[]) => void;
  readonly reject: (error: unknown) => void;
}

/** What a search brought. */
export interface Found {
  /** Files that may be the one asked for, or one asked for at the same time: look at each. */
  readonly found: readonly DriveFile[];
  /** False when the whole request found nothing. */
  readonly anything: boolean;
}

/** Searches for single files, those that are asked for at the same moment by one request. */
export class LookupQueue {
  readonly #files: DriveFiles;
  readonly #limits: DriveLimits;
  readonly #waiting = new Map<DriveFolder, Lookup[]>();

  constructor(files: DriveFiles, limits: DriveLimits) {
    this.#files = files;
    this.#limits = limits;
  }

  /** @throws SyncError what Drive throws, `aborted` */
  async search(folder: DriveFolder, place: DrivePlace, signal: AbortSignal | undefined): Promise<Found> {
    const lookup = Promise.withResolvers<readonly DriveFile[]>();
    const waiting = this.#waiting.get(folder) ?? [];
    this.#waiting.set(folder, waiting);
    waiting.push({ query: queryFor(place), resolve: lookup.resolve, reject: lookup.reject });
    // Callers of the same moment get here within a few microtasks; a timer comes after all of them.
    if (waiting.length === 1) setTimeout(() => void this.#send(folder), 0);
    const found = await orAborted(lookup.promise, signal);
    return { found, anything: found.length > 0 };
  }

  async #send(folder: DriveFolder): Promise<void> {
    const waiting = this.#waiting.get(folder) ?? [];
    this.#waiting.delete(folder);
    await Promise.all(this.#batches(waiting).map((batch) => this.#sendBatch(folder, batch)));
  }

  #batches(waiting: readonly Lookup[]): Lookup[][] {
    const { lookupKeysMax, lookupCharsMax } = this.#limits;
    const batches: Lookup[][] = [];
    let chars = 0;
    for (const lookup of waiting) {
      const batch = batches.at(-1);
      chars += encodeURIComponent(lookup.query).length;
      if (batch !== undefined && batch.length < lookupKeysMax && chars <= lookupCharsMax) batch.push(lookup);
      else {
        batches.push([lookup]);
        chars = encodeURIComponent(lookup.query).length;
      }
    }
    return batches;
  }

  async #sendBatch(folder: DriveFolder, batch: readonly Lookup[]): Promise<void> {
    const any = [...new Set(batch.map(({ query }) => query))].join(" or ");
    const found: DriveFile[] = [];
    try {
      const q = `${childrenQuery(folder.id)} and (${any})`;
      for await (const file of this.#files.list(q, folder.driveId, undefined)) found.push(file);
      for (const { resolve } of batch) resolve(found);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
