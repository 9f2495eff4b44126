/** The fields of a resource: `true` has none below, `any` has names that its users choose. */
export type FieldTree = "any" | { readonly [name: string]: true | FieldTree };

const USER = leaves("displayName emailAddress kind me permissionId photoLink");

/** Every field of a file that the reference lists; what the fake does not fill stays absent, as Drive leaves it. */
export const FILE_FIELDS: FieldTree = {
  ...leaves(`copyRequiresWriterPermission createdTime description driveId explicitlyTrashed fileExtension
    folderColorRgb fullFileExtension hasAugmentedPermissions hasThumbnail headRevisionId iconLink id
    inheritedPermissionsDisabled isAppAuthorized kind md5Checksum mimeType modifiedByMe modifiedByMeTime modifiedTime
    name originalFilename ownedByMe parents permissionIds quotaBytesUsed resourceKey sha1Checksum sha256Checksum shared
    sharedWithMeTime size spaces starred teamDriveId thumbnailLink thumbnailVersion trashed trashedTime version
    viewedByMe viewedByMeTime viewersCanCopyContent webContentLink webViewLink writersCanShare`),
  appProperties: "any",
  properties: "any",
  exportLinks: "any",
  capabilities: leaves(`canAddChildren canCopy canDelete canDeleteChildren canDownload canEdit canListChildren
    canModifyContent canMoveItemWithinDrive canMoveItemOutOfDrive canReadDrive canRemoveChildren canRename canShare
    canTrash canTrashChildren canUntrash`),
  contentHints: leaves("indexableText thumbnail"),
  contentRestrictions: leaves("ownerRestricted readOnly reason restrictingUser restrictionTime systemRestricted type"),
  imageMediaMetadata: "any",
  labelInfo: "any",
  lastModifyingUser: USER,
  linkShareMetadata: leaves("securityUpdateEligible securityUpdateEnabled"),
  owners: USER,
  permissions: "any",
  sharingUser: USER,
  shortcutDetails: leaves("targetId targetMimeType targetResourceKey"),
  trashingUser: USER,
  videoMediaMetadata: leaves("durationMillis height width"),
};

export const FILE_LIST_FIELDS: FieldTree = {
  ...leaves("incompleteSearch kind nextPageToken"),
  files: FILE_FIELDS,
};

export const GENERATED_IDS_FIELDS: FieldTree = leaves("ids kind space");

export const DRIVE_FIELDS: FieldTree = {
  ...leaves("colorRgb createdTime hidden id kind name orgUnitId themeId"),
  capabilities: leaves("canAddChildren canDeleteChildren canEdit canListChildren canTrashChildren"),
  restrictions: "any",
};

export const ABOUT_FIELDS: FieldTree = {
  ...leaves("canCreateDrives kind maxUploadSize"),
  storageQuota: leaves("limit usage usageInDrive usageInDriveTrash"),
  user: USER,
};

function leaves(names: string): Record<string, true> {
  return Object.fromEntries(names.split(/\s+/).map((name) => [name, true]));
}
