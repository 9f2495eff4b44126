import type { Access } from "./access.ts";
import type { DriveStore } from "./drive-store.ts";
import { type FileRecord, FOLDER_TYPE } from "./file-record.ts";

/** Fields that come when none are asked for. */
export const DEFAULT_FILE_FIELDS = "kind,id,name,mimeType,driveId,teamDriveId";

/** A file as the API shows it to one user, with every field that the fake knows. */
export function fileResource(record: FileRecord, access: Access, store: DriveStore): Record<string, unknown> {
  const { email, app } = access.session.account;
  const appProperties = record.appProperties.get(app);
  return withoutAbsent({
    kind: "drive#file",
    id: record.id,
    name: record.name,
    mimeType: record.mimeType,
    description: record.description,
    parents: record.parent === undefined ? undefined : [record.parent],
    driveId: record.driveId,
    teamDriveId: record.driveId,
    trashed: store.isTrashed(record),
    explicitlyTrashed: record.trashed,
    properties: record.properties.size === 0 ? undefined : Object.fromEntries(record.properties),
    appProperties:
      appProperties === undefined || appProperties.size === 0 ? undefined : Object.fromEntries(appProperties),
    createdTime: new Date(record.createdTimeMs).toISOString(),
    modifiedTime: new Date(record.modifiedTimeMs).toISOString(),
    version: String(record.version),
    spaces: ["drive"],
    isAppAuthorized: record.madeBy === app,
    ownedByMe: record.driveId === undefined ? record.owner === email : undefined,
    owners: record.owner === undefined ? undefined : [user(record.owner, email)],
    capabilities: capabilities(record, access),
    ...contentFields(record),
  });
}

function contentFields({ content, headRevisionId, originalFilename, name }: FileRecord): Record<string, unknown> {
  if (content === undefined) return { quotaBytesUsed: "0" };
  const size = String(content.bytes.length);
  return {
    size,
    quotaBytesUsed: size,
    md5Checksum: content.md5,
    sha1Checksum: content.sha1,
    sha256Checksum: content.sha256,
    headRevisionId,
    originalFilename,
    fileExtension: /\.([^.]+)$/.exec(name)?.[1],
    fullFileExtension: /\.([^.]+)$/.exec(name)?.[1],
  };
}

function capabilities(record: FileRecord, access: Access): Record<string, boolean> {
  const folder = record.mimeType === FOLDER_TYPE;
  const writes = access.mayWrite(record);
  const moves = writes && record.parent !== undefined;
  return {
    canAddChildren: folder && writes,
    canCopy: !folder,
    canDelete: access.mayDelete(record),
    canDeleteChildren: folder && access.roleOn(record) === "organizer",
    canDownload: true,
    canEdit: writes,
    canListChildren: folder,
    canModifyContent: writes,
    canMoveItemWithinDrive: moves,
    canReadDrive: record.driveId !== undefined,
    canRename: moves,
    canTrash: access.mayTrash(record),
    canUntrash: access.mayTrash(record),
  };
}

/** A user as resources name one. */
export function user(email: string, me: string): Record<string, unknown> {
  return { kind: "drive#user", displayName: email, me: email === me, permissionId: "00", emailAddress: email };
}

function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
