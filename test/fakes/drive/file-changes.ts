import type { Access } from "./access.ts";
import { badRequest, DriveError, fileNotFound, insufficientPermissions } from "./drive-error.ts";
import type { DriveStore } from "./drive-store.ts";
import type { FakeClock } from "./fake-clock.ts";
import { checkPropertyCount, type FileMetadata, mergeProperties, notWritable } from "./file-metadata.ts";
import { type Content, contentOf, type FileRecord, FOLDER_TYPE } from "./file-record.ts";

/** What arrived with a create or an update beside the metadata. */
export interface Media {
  readonly bytes: Uint8Array;
  /** As the request names it; the metadata's type goes before it. */
  readonly type: string | undefined;
}

export interface ChangeOptions {
  readonly supportsAllDrives: boolean;
  readonly addParents?: readonly string[];
  readonly removeParents?: readonly string[];
}

/** Creates, changes, copies and removes files in one user's name. All checks come before the first change. */
export class FileChanges {
  constructor(
    private readonly store: DriveStore,
    private readonly access: Access,
    private readonly clock: FakeClock,
  ) {}

  /** @throws DriveError when `create` with these would be refused */
  checkCreate(metadata: FileMetadata, bytes: number, { supportsAllDrives }: ChangeOptions): FileRecord {
    const { email, quotaBytes } = this.access.session.account;
    if (metadata.id !== undefined) this.#checkId(metadata.id);
    const parent = this.#newParent(metadata.parents, supportsAllDrives);
    if (parent.driveId === undefined && this.store.usedBy(email) + Math.max(bytes, 1) > quotaBytes)
      throw storageQuotaExceeded(quotaBytes);
    mergeProperties(new Map(), metadata.properties);
    mergeProperties(new Map(), metadata.appProperties);
    if (isNative(metadata.mimeType) && metadata.mimeType !== FOLDER_TYPE)
      throw badRequest("The fake makes no Docs, Sheets, Slides or shortcuts.");
    return parent;
  }

  create(metadata: FileMetadata, media: Media | undefined, options: ChangeOptions): FileRecord {
    const parent = this.checkCreate(metadata, media?.bytes.length ?? 0, options);
    const { email, app } = this.access.session.account;
    const mimeType = metadata.mimeType ?? media?.type ?? "application/octet-stream";
    const folder = isNative(mimeType);
    if (folder && media !== undefined && media.bytes.length > 0) throw badRequest("A folder has no content.");
    return this.store.create({
      id: metadata.id ?? this.store.newId(),
      name: metadata.name ?? "Untitled",
      parent: parent.id,
      driveId: parent.driveId,
      owner: parent.driveId === undefined ? email : undefined,
      mimeType,
      description: metadata.description,
      properties: mergeProperties(new Map(), metadata.properties),
      appProperties: new Map([[app, mergeProperties(new Map(), metadata.appProperties)]]),
      createdTimeMs: metadata.createdTimeMs ?? this.clock.now(),
      modifiedTimeMs: metadata.modifiedTimeMs ?? this.clock.now(),
      ...(folder ? {} : this.#contentFields(contentOf(media?.bytes ?? new Uint8Array(0)))),
      originalFilename: folder ? undefined : (metadata.originalFilename ?? metadata.name ?? "Untitled"),
      madeBy: app,
    });
  }

  /** @throws DriveError when `update` with these would be refused */
  checkUpdate(id: string, metadata: FileMetadata, options: ChangeOptions): FileRecord {
    const record = this.access.find(id, options.supportsAllDrives);
    if (metadata.id !== undefined && metadata.id !== record.id)
      throw notWritable("The resource body includes fields which are not directly writable.");
    if (metadata.parents !== undefined)
      throw notWritable(
        "The parents field is not directly writable in update requests. Use the addParents and removeParents parameters instead.",
      );
    this.access.requireRole(record, "writer");
    if (metadata.trashed !== undefined && metadata.trashed !== record.trashed && !this.access.mayTrash(record))
      throw insufficientPermissions();
    this.#movedTo(record, options);
    this.#changedProperties(record, metadata);
    return record;
  }

  update(id: string, metadata: FileMetadata, media: Media | undefined, options: ChangeOptions): FileRecord {
    const record = this.checkUpdate(id, metadata, options);
    if (media !== undefined && record.content === undefined) throw badRequest("A folder has no content.");
    const touched = media !== undefined || (metadata.name !== undefined && metadata.name !== record.name);
    const content = media === undefined ? {} : this.#contentFields(contentOf(media.bytes));
    return this.store.change(record.id, {
      ...this.#changedProperties(record, metadata),
      ...content,
      parent: this.#movedTo(record, options),
      name: metadata.name ?? record.name,
      mimeType: metadata.mimeType ?? record.mimeType,
      description: metadata.description ?? record.description,
      trashed: metadata.trashed ?? record.trashed,
      createdTimeMs: metadata.createdTimeMs ?? record.createdTimeMs,
      modifiedTimeMs: metadata.modifiedTimeMs ?? (touched ? this.clock.now() : record.modifiedTimeMs),
    });
  }

  /** What the body does not say comes from the source, its folder and its properties included. */
  copy(id: string, metadata: FileMetadata, options: ChangeOptions): FileRecord {
    const source = this.access.find(id, options.supportsAllDrives);
    if (source.mimeType === FOLDER_TYPE)
      throw new DriveError(403, "cannotCopyFile", "This file cannot be copied by the user.");
    const { app } = this.access.session.account;
    const inherited: FileMetadata = {
      name: `Copy of ${source.name}`,
      mimeType: source.mimeType,
      ...(source.parent === undefined ? {} : { parents: [source.parent] }),
      ...(source.description === undefined ? {} : { description: source.description }),
      ...metadata,
      properties: mergeProperties(source.properties, metadata.properties),
      appProperties: mergeProperties(source.appProperties.get(app) ?? new Map(), metadata.appProperties),
    };
    return this.create(inherited, { bytes: source.content?.bytes ?? new Uint8Array(0), type: undefined }, options);
  }

  /** For good. */
  remove(id: string, { supportsAllDrives }: ChangeOptions): void {
    const record = this.access.find(id, supportsAllDrives);
    if (!this.access.mayDelete(record)) throw insufficientPermissions();
    this.store.remove(record.id);
  }

  #checkId(id: string): void {
    if (this.store.isUsed(id)) throw new DriveError(409, "fileIdInUse", "A file already exists with the provided ID.");
    if (!this.store.isReservedBy(id, this.access.session.account.email))
      throw new DriveError(400, "invalid", "The provided file ID is not usable.", { location: "file.id" });
  }

  #newParent(parents: readonly string[] | undefined, supportsAllDrives: boolean): FileRecord {
    const [id = "root", ...more] = parents ?? [];
    if (more.length > 0) throw badRequest("A file cannot be created in more than one folder.");
    return this.#folder(id, supportsAllDrives);
  }

  #folder(id: string, supportsAllDrives: boolean): FileRecord {
    const folder = this.access.find(id, supportsAllDrives);
    if (folder.mimeType !== FOLDER_TYPE)
      throw new DriveError(403, "parentNotAFolder", "The specified parent is not a folder.");
    this.access.requireRole(folder, "writer");
    return folder;
  }

  #movedTo(record: FileRecord, { addParents = [], removeParents = [], supportsAllDrives }: ChangeOptions) {
    for (const id of removeParents) if (id !== record.parent) throw fileNotFound(id);
    const [to, ...more] = addParents.filter((id) => id !== record.parent);
    if (to === undefined && removeParents.length === 0) return record.parent;
    if (to === undefined || more.length > 0 || removeParents.length === 0)
      throw record.driveId === undefined
        ? new DriveError(403, "cannotAddParent", "Increasing the number of parents is not allowed")
        : new DriveError(403, "teamDrivesParentLimit", "A shared drive item must have exactly one parent.");
    const folder = this.#folder(to, supportsAllDrives);
    if (folder.driveId !== record.driveId) throw badRequest("The fake moves nothing between drives.");
    return folder.id;
  }

  #changedProperties(record: FileRecord, metadata: FileMetadata): Pick<FileRecord, "properties" | "appProperties"> {
    const { app } = this.access.session.account;
    const properties = mergeProperties(record.properties, metadata.properties);
    const own = mergeProperties(record.appProperties.get(app) ?? new Map(), metadata.appProperties);
    const appProperties = new Map(record.appProperties).set(app, own);
    checkPropertyCount({ ...record, properties, appProperties });
    return { properties, appProperties };
  }

  #contentFields(content: Content): Pick<FileRecord, "content" | "headRevisionId"> {
    return { content, headRevisionId: `0B${this.store.newId()}` };
  }
}

function isNative(mimeType: string | undefined): boolean {
  return mimeType?.startsWith("application/vnd.google-apps.") === true;
}

function storageQuotaExceeded(quotaBytes: number): DriveError {
  const message =
    quotaBytes === 0
      ? "Service Accounts do not have storage quota. Leverage shared drives " +
        "(https://developers.google.com/workspace/drive/api/guides/about-shareddrives), or use OAuth delegation " +
        "(http://support.google.com/a/answer/7281227) instead."
      : "The user's Drive storage quota has been exceeded.";
  return new DriveError(403, "storageQuotaExceeded", message);
}
