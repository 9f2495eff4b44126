import type { DriveConnection } from "./connection.ts";
import { type DriveFile, fileIdIn } from "./drive-file.ts";
import type { DriveFiles } from "./drive-files.ts";
import { DriveFolder } from "./folder.ts";
import { LegacyFiles } from "./legacy-files.ts";
import { LookupQueue } from "./lookup-queue.ts";
import { atMost } from "../../core/at-most.ts";
import { childrenQuery, controlKeyOf, type DrivePlace, inRank, isAt, isUnclaimed, objectOf, placeOf } from "./names.ts";
import type { RecentFiles } from "./recent-files.ts";

const LOOKS_AT_ONCE = 16;

/**
 * Which files there are for which keys, as far as this provider has seen. Drive's searches lag behind its writes, getting
 * a file by its id does not: so what this provider wrote or removed itself goes before what a search says, and a file
 * that was seen once is asked for by its id.
 */
export class Catalog {
  readonly objects: DriveFolder;
  readonly manifests: DriveFolder;
  readonly files: DriveFiles;
  readonly legacy: LegacyFiles;
  readonly #recent: RecentFiles;
  readonly #base: string;
  readonly #lookups: LookupQueue;
  readonly #lookupsBeforeListing: number;
  /** The files of each key, the one that counts first. */
  readonly #known = new Map<string, readonly DriveFile[]>();
  /** Keys that were searched for in vain. */
  readonly #absent = new Set<string>();
  /** Versions that an earlier run has recorded. */
  readonly #recalled = new Map<string, string>();
  /** What this provider wrote, by key and id. */
  readonly #own = new Map<string, Map<string, DriveFile>>();
  /** What it removed or found gone, by id; by key and id what has another key now, though a search may not know. */
  readonly #gone = new Set<string>();
  /** Keys for which there was more than one file. */
  readonly #doubled = new Set<string>();
  #searched = 0;
  #listing: Promise<void> | undefined;

  constructor(connection: DriveConnection, files: DriveFiles, recent: RecentFiles) {
    const { settings, limits } = connection;
    const folder = (id: string, setting: string) => new DriveFolder(id, setting, files, settings, limits.folderSeenMs);
    this.files = files;
    this.#recent = recent;
    this.#base = settings.base;
    this.objects = folder(settings.parentId, "parent_id");
    const shared = settings.manifestParentId === settings.parentId;
    this.manifests = shared ? this.objects : folder(settings.manifestParentId, "manifest_parent_id");
    this.legacy = new LegacyFiles(this.manifests, files, settings.base);
    this.#lookups = new LookupQueue(files, limits);
    this.#lookupsBeforeListing = limits.lookupsBeforeListing;
  }

  folderOf(place: DrivePlace): DriveFolder {
    return place.kind === "control" ? this.manifests : this.objects;
  }

  /** Versions of an earlier run: where its files are is asked by id instead of searched. A help, and no proof. */
  recall(versions: Iterable<readonly [key: string, version: string]>): void {
    for (const [key, version] of versions) if (fileIdIn(version) !== undefined) this.#recalled.set(key, version);
  }

  /** Keys that had more than one file when they were last seen. */
  get doubled(): readonly string[] {
    return [...this.#doubled];
  }

  /** The file of `key` as it is now; undefined when there is none. @throws SyncError `provider_container_missing`, what Drive throws */
  async locate(key: string, place: DrivePlace, signal: AbortSignal | undefined): Promise<DriveFile | undefined> {
    const id = this.#known.get(key)?.[0]?.id ?? this.#recalledId(key);
    if (id !== undefined) {
      const file = await this.#getAt(id, key, place, signal);
      if (file !== undefined) return file;
    }
    return (await this.search(key, place, signal))[0];
  }

  /** The same for one who writes it next: what was seen in this run is believed, and what was not is not searched twice. */
  async locateToWrite(key: string, place: DrivePlace, signal: AbortSignal | undefined): Promise<DriveFile | undefined> {
    const seen = this.#known.get(key)?.[0];
    if (seen !== undefined || this.#absent.has(key)) return seen;
    const id = this.#recalledId(key);
    const recalled = id === undefined ? undefined : await this.#getAt(id, key, place, signal);
    if (recalled !== undefined) return recalled;
    if (place.kind === "control") return (await this.search(key, place, signal))[0];
    // A run that changes a few files of many does not list them all.
    const few = this.#recalled.size > 0 && this.#searched < this.#lookupsBeforeListing;
    if (this.#listing === undefined && few) return (await this.search(key, place, signal))[0];
    await this.#listOnce(signal);
    return this.#known.get(key)?.[0];
  }

  /** All files of `key` by a search, the one that counts first. @throws as `locate` */
  async search(key: string, place: DrivePlace, signal: AbortSignal | undefined): Promise<readonly DriveFile[]> {
    this.#searched++;
    const folder = this.folderOf(place);
    await folder.checkOnce(signal);
    const { found, anything } = await this.#lookups.search(folder, place, signal);
    if (!anything) await folder.checkAgain(signal);
    const files = await this.#visible(
      found.filter((file) => isAt(file, place)),
      place,
      signal,
    );
    const settled = this.#settle(key, place, files);
    if (settled.length > 0) return settled;
    // Nothing was found, perhaps only not yet.
    const id = this.#recalledId(key) ?? (await this.#recent.earlier()).get(key);
    const file = id === undefined ? undefined : await this.#getAt(id, key, place, signal);
    return file === undefined ? [] : [file];
  }

  /**
   * Every key that starts with `prefix`, with its file. Reads the folders anew.
   * @throws as `locate`
   */
  async list(prefix: string, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, DriveFile>> {
    const manifests = `${this.#base}manifests/`;
    const wantsControl = manifests.startsWith(prefix) || prefix.startsWith(manifests);
    const wantsObjects = !prefix.startsWith(manifests);
    const folders = new Set([...(wantsObjects ? [this.objects] : []), ...(wantsControl ? [this.manifests] : [])]);
    const byKey = new Map<string, DriveFile[]>();
    for (const folder of folders) await this.#listFolder(folder, prefix, byKey, signal);
    // Also what was seen before or written here and is not listed: it is gone, or the listing lags.
    for (const key of [...this.#own.keys(), ...this.#known.keys()])
      if (key.startsWith(prefix) && !byKey.has(key)) byKey.set(key, []);
    const listed = new Map<string, DriveFile>();
    for (const [key, files] of byKey) {
      const place = placeOf(key, this.#base);
      const first = typeof place === "string" ? undefined : this.#settle(key, place, files)[0];
      if (first !== undefined) listed.set(key, first);
    }
    await this.#addRecent(prefix, listed, signal);
    await this.#refresh(listed, signal);
    return listed;
  }

  /** What a listing that lags does not show of the files that this machine has made. */
  async #addRecent(prefix: string, listed: Map<string, DriveFile>, signal: AbortSignal | undefined): Promise<void> {
    const missing = [...(await this.#recent.earlier())].filter(([key]) => key.startsWith(prefix) && !listed.has(key));
    await atMost(
      () => LOOKS_AT_ONCE,
      missing,
      async ([key, id]) => {
        const place = placeOf(key, this.#base);
        if (typeof place === "string" || this.#gone.has(id)) return;
        const file = await this.#getAt(id, key, place, signal);
        if (file !== undefined) listed.set(key, file);
      },
    );
  }

  /** Looks again at listed files that an earlier run has recorded in another version: one of the two is the newer. */
  async #refresh(listed: Map<string, DriveFile>, signal: AbortSignal | undefined): Promise<void> {
    const stale = [...listed].filter(([key, { id, version }]) => {
      return this.#recalledId(key) === id && this.#recalled.get(key) !== version;
    });
    await atMost(
      () => LOOKS_AT_ONCE,
      stale,
      async ([key, { id }]) => {
        const place = placeOf(key, this.#base);
        const file = typeof place === "string" ? undefined : await this.#getAt(id, key, place, signal);
        if (file === undefined) listed.delete(key);
        else listed.set(key, file);
      },
    );
  }

  #recalledId(key: string): string | undefined {
    const version = this.#recalled.get(key);
    return version === undefined ? undefined : fileIdIn(version);
  }

  /** All files of `key` that are known of now; empty also where nobody has looked. */
  known(key: string): readonly DriveFile[] {
    return this.#known.get(key) ?? [];
  }

  /** `file` is what Drive has just answered to a write of this provider. */
  wrote(key: string, file: DriveFile): void {
    const others = this.known(key).filter(({ id }) => id !== file.id);
    const own = this.#own.get(key) ?? new Map<string, DriveFile>();
    this.#own.set(key, own.set(file.id, file));
    this.#gone.delete(file.id);
    this.#gone.delete(atKey(key, file.id));
    this.#absent.delete(key);
    this.#known.set(key, inRank([file, ...others]));
  }

  /** The file is no more. */
  removed(key: string, id: string): void {
    this.#gone.add(id);
    this.#forget(key, id);
  }

  /** The file is no more of this key, but of another. */
  left(key: string, id: string): void {
    this.#gone.add(atKey(key, id));
    this.#forget(key, id);
  }

  /** After `removed` of all files of a key that were found: nobody need search for it before it is written. */
  isAbsent(key: string): void {
    if (!this.#known.has(key)) this.#absent.add(key);
  }

  #forget(key: string, id: string): void {
    this.#own.get(key)?.delete(id);
    if (this.#recalledId(key) === id) this.#recalled.delete(key);
    const left = this.known(key).filter((file) => file.id !== id);
    if (left.length > 0) this.#known.set(key, left);
    else this.#known.delete(key);
  }

  async #getAt(id: string, key: string, place: DrivePlace, signal: AbortSignal | undefined) {
    const file = await this.files.get(id, signal);
    const folder = this.folderOf(place);
    if (file === undefined || file.trashed || !file.parents.includes(folder.id)) {
      this.removed(key, id);
      return undefined;
    }
    if (!isAt(file, place)) {
      this.left(key, id);
      return undefined;
    }
    const [visible] = await this.#visible([file], place, signal);
    if (visible === undefined) return undefined;
    this.#known.set(key, inRank([visible, ...this.known(key).filter((other) => other.id !== id)]));
    return visible;
  }

  async #listOnce(signal: AbortSignal | undefined): Promise<void> {
    this.#listing ??= this.list(this.#base, signal).then(() => undefined);
    try {
      await this.#listing;
    } catch (error) {
      this.#listing = undefined;
      throw error;
    }
  }

  async #listFolder(
    folder: DriveFolder,
    prefix: string,
    byKey: Map<string, DriveFile[]>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await folder.checkOnce(signal);
    let anything = false;
    const unclaimed: DriveFile[] = [];
    const add = (key: string | undefined, file: DriveFile) => {
      if (key?.startsWith(prefix) === true) byKey.set(key, [...(byKey.get(key) ?? []), file]);
    };
    for await (const file of this.files.list(childrenQuery(folder.id), folder.driveId, signal)) {
      anything = true;
      const object = folder === this.objects ? objectOf(file) : undefined;
      if (object?.snapshot !== undefined) add(`${object.snapshot}/${object.path}`, file);
      else if (object !== undefined) unclaimed.push(file);
      else if (folder === this.manifests) add(controlKeyOf(file, this.#base), file);
    }
    if (!anything) await folder.checkAgain(signal);
    for (const snapshot of unclaimed.length === 0 ? [] : await this.legacy.snapshots(signal)) {
      for (const file of unclaimed) add(`${snapshot}/${objectOf(file)?.path ?? ""}`, file);
    }
  }

  /** Without files of the studio's where no manifest says that they are this snapshot's. */
  async #visible(files: readonly DriveFile[], place: DrivePlace, signal: AbortSignal | undefined) {
    if (place.kind === "control" || !files.some(isUnclaimed)) return files;
    const shown = (await this.legacy.snapshots(signal)).includes(place.snapshot);
    return shown ? files : files.filter((file) => !isUnclaimed(file));
  }

  /** What a search found, put right by what this provider knows better. */
  #settle(key: string, place: DrivePlace, found: readonly DriveFile[]): readonly DriveFile[] {
    const isGone = (id: string) => this.#gone.has(id) || this.#gone.has(atKey(key, id));
    const files = new Map(found.filter(({ id }) => !isGone(id)).map((file) => [file.id, file]));
    for (const file of this.#own.get(key)?.values() ?? []) {
      const seen = files.get(file.id);
      if (seen === undefined || seen.changes < file.changes) files.set(file.id, file);
    }
    const ranked = inRank([...files.values()].filter((file) => isAt(file, place)));
    if (ranked.length > 1) this.#doubled.add(key);
    else this.#doubled.delete(key);
    if (ranked.length === 0) {
      this.#known.delete(key);
      this.#absent.add(key);
    } else {
      this.#absent.delete(key);
      this.#known.set(key, ranked);
    }
    return ranked;
  }
}

/** No id holds a space. */
function atKey(key: string, id: string): string {
  return `${id} ${key}`;
}
