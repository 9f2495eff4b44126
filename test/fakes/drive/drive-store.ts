import { randomBytes } from "node:crypto";
import type { FakeClock } from "./fake-clock.ts";
import { type FileRecord, FOLDER_TYPE, type Role } from "./file-record.ts";

interface Moment {
  readonly atMs: number;
  /** undefined: gone for good. */
  readonly record: FileRecord | undefined;
}

/** What a new file starts from. */
export type NewFile = Pick<FileRecord, "id" | "name" | "parent" | "driveId" | "owner"> & Partial<FileRecord>;

export interface SharedDrive {
  readonly id: string;
  readonly name: string;
  readonly members: Map<string, Role>;
}

/** Every file, and what the search index knows of it, which is older. */
export class DriveStore {
  /** How much later than a change the index shows it, milliseconds. For changes from now on. */
  indexLagMs = 0;
  readonly drives = new Map<string, SharedDrive>();
  readonly #files = new Map<string, Moment[]>();
  /** Ids handed out for files to come, by whom. */
  readonly #reserved = new Map<string, string>();
  readonly #roots = new Map<string, string>();
  #version = 1000;

  constructor(private readonly clock: FakeClock) {}

  /** As it is now. */
  get(id: string): FileRecord | undefined {
    return this.#files.get(id)?.at(-1)?.record;
  }

  /** Every file that there is now. */
  *files(): Iterable<FileRecord> {
    for (const moments of this.#files.values()) {
      const record = moments.at(-1)?.record;
      if (record !== undefined) yield record;
    }
  }

  /** Every file as the index has it: those of a moment ago, in no order that means anything. */
  *indexed(): Iterable<FileRecord> {
    const atMs = this.clock.now() - this.indexLagMs;
    for (const moments of this.#files.values()) {
      const record = moments.findLast((moment) => moment.atMs <= atMs)?.record;
      if (record !== undefined) yield record;
    }
  }

  /** @throws Error when the id was ever used */
  create(file: NewFile): FileRecord {
    if (this.isUsed(file.id)) throw new Error(`the id ${file.id} is used`);
    const nowMs = this.clock.now();
    const record: FileRecord = {
      mimeType: FOLDER_TYPE,
      trashed: false,
      properties: new Map(),
      appProperties: new Map(),
      description: undefined,
      createdTimeMs: nowMs,
      modifiedTimeMs: nowMs,
      content: undefined,
      headRevisionId: undefined,
      originalFilename: undefined,
      madeBy: undefined,
      sharedWith: new Map(),
      ...file,
      version: ++this.#version,
    };
    this.#keep(file.id, record);
    return record;
  }

  /** A change to a file that is there. */
  change(id: string, changes: Partial<Omit<FileRecord, "id" | "version">>): FileRecord {
    const before = this.get(id);
    if (before === undefined) throw new Error(`there is no file ${id}`);
    const record = { ...before, ...changes, version: ++this.#version };
    this.#keep(id, record);
    return record;
  }

  /** For good, with everything below. */
  remove(id: string): void {
    for (const { id: child } of [...this.childrenOf(id)]) this.remove(child);
    this.#keep(id, undefined);
  }

  *childrenOf(id: string): Iterable<FileRecord> {
    for (const file of this.files()) if (file.parent === id) yield file;
  }

  /** Whether it, or a folder above it, is in the trash. */
  isTrashed(record: FileRecord): boolean {
    if (record.trashed) return true;
    const parent = record.parent === undefined ? undefined : this.get(record.parent);
    return parent !== undefined && this.isTrashed(parent);
  }

  /** An id is used from its file's first moment on, and stays so when the file is gone. */
  isUsed(id: string): boolean {
    return this.#files.has(id);
  }

  newId(): string {
    return `1${randomBytes(24).toString("base64url")}`;
  }

  reserveIds(count: number, user: string): string[] {
    const ids = Array.from({ length: count }, () => this.newId());
    for (const id of ids) this.#reserved.set(id, user);
    return ids;
  }

  isReservedBy(id: string, user: string): boolean {
    return this.#reserved.get(id) === user;
  }

  /** The id of the folder `root` of someone's My Drive. */
  rootOf(user: string): string {
    let id = this.#roots.get(user);
    if (id === undefined) {
      id = `0A${randomBytes(12).toString("base64url")}PVA`;
      this.#roots.set(user, id);
      this.create({ id, name: "My Drive", parent: undefined, driveId: undefined, owner: user });
    }
    return id;
  }

  addSharedDrive(name: string, members: Iterable<readonly [string, Role]>): SharedDrive {
    const id = `0A${randomBytes(12).toString("base64url")}9PVA`;
    const drive = { id, name, members: new Map(members) };
    this.drives.set(id, drive);
    this.create({ id, name, parent: undefined, driveId: id, owner: undefined });
    return drive;
  }

  /** Bytes of the files that someone owns. */
  usedBy(user: string): number {
    let bytes = 0;
    for (const file of this.files()) if (file.owner === user) bytes += file.content?.bytes.length ?? 0;
    return bytes;
  }

  #keep(id: string, record: FileRecord | undefined): void {
    const nowMs = this.clock.now();
    const moments = this.#files.get(id) ?? [];
    // What the index will never show again may go.
    const seen = moments.findLastIndex((moment) => moment.atMs <= nowMs - this.indexLagMs);
    if (seen > 0) moments.splice(0, seen);
    moments.push({ atMs: nowMs, record });
    this.#files.set(id, moments);
  }
}
