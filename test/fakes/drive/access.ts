import { DriveError, fileNotFound, insufficientPermissions } from "./drive-error.ts";
import type { DriveStore } from "./drive-store.ts";
import { type FileRecord, type Role, ROLES } from "./file-record.ts";
import type { Session } from "./tokens.ts";

/** Scopes that show every file that the user may see; drive.file shows those that the app made. */
const WIDE_SCOPES = ["drive", "drive.readonly", "drive.metadata", "drive.metadata.readonly"];

/** What one user with one set of scopes may see and do. */
export class Access {
  constructor(
    private readonly store: DriveStore,
    readonly session: Session,
  ) {}

  /** Whether the scopes and the user's rights show it. */
  sees(record: FileRecord): boolean {
    return this.#scopesShow(record) && this.roleOn(record) !== undefined;
  }

  roleOn(record: FileRecord): Role | undefined {
    const { email } = this.session.account;
    const member = record.driveId === undefined ? undefined : this.store.drives.get(record.driveId)?.members.get(email);
    return highest([member, record.owner === email ? "owner" : undefined, ...this.#shares(record, email)]);
  }

  /**
   * The file that a request names.
   * @throws DriveError notFound when there is none, it may not be seen, or it lies in a shared drive and the request
   *   does not say that its app knows of those
   */
  find(id: string, supportsAllDrives: boolean): FileRecord {
    const record = this.store.get(id === "root" ? this.store.rootOf(this.session.account.email) : id);
    if (record === undefined || !this.sees(record)) throw fileNotFound(id);
    if (record.driveId !== undefined && !supportsAllDrives) throw fileNotFound(id);
    return record;
  }

  /** @throws DriveError insufficientFilePermissions */
  requireRole(record: FileRecord, least: Role): void {
    const role = this.roleOn(record);
    if (role === undefined || ROLES.indexOf(role) < ROLES.indexOf(least)) throw insufficientPermissions();
  }

  /** For good: in a shared drive an organizer, in a My Drive its owner. */
  mayDelete(record: FileRecord): boolean {
    const role = this.roleOn(record);
    return record.parent !== undefined && (role === "owner" || role === "organizer");
  }

  /** In a shared drive a content manager (fileOrganizer) or an organizer, in a My Drive its owner. */
  mayTrash(record: FileRecord): boolean {
    return this.mayDelete(record) || (record.driveId !== undefined && this.roleOn(record) === "fileOrganizer");
  }

  mayWrite(record: FileRecord): boolean {
    const role = this.roleOn(record);
    return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf("writer");
  }

  #scopesShow(record: FileRecord): boolean {
    const { scopes, account } = this.session;
    if (WIDE_SCOPES.some((scope) => scopes.has(scope))) return true;
    return scopes.has("drive.file") && record.madeBy === account.app;
  }

  *#shares(record: FileRecord, email: string): Iterable<Role | undefined> {
    for (let at: FileRecord | undefined = record; at !== undefined; ) {
      yield at.sharedWith.get(email);
      at = at.parent === undefined ? undefined : this.store.get(at.parent);
    }
  }
}

/** @throws DriveError 403 when the token has none of `scopes` */
export function requireScope(session: Session, scopes: readonly string[]): void {
  if (scopes.some((scope) => session.scopes.has(scope))) return;
  throw new DriveError(403, "insufficientPermissions", "Request had insufficient authentication scopes.", {
    headers: { "www-authenticate": 'Bearer realm="https://accounts.google.com/", error="insufficient_scope"' },
  });
}

function highest(roles: Iterable<Role | undefined>): Role | undefined {
  let best: Role | undefined;
  for (const role of roles)
    if (role !== undefined && (best === undefined || ROLES.indexOf(role) > ROLES.indexOf(best))) best = role;
  return best;
}
