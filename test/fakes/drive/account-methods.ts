import type { Answer } from "./answer.ts";
import { type Call, maskedAnswer } from "./call.ts";
import { DriveError } from "./drive-error.ts";
import type { SharedDrive } from "./drive-store.ts";
import { ABOUT_FIELDS, DRIVE_FIELDS } from "./field-trees.ts";
import { user } from "./file-resource.ts";
import { sharedDriveNotFound } from "./list-method.ts";

/** `about.get`, which has to be asked for certain fields. */
export function getAbout(call: Call): Answer {
  if (call.parameters.text("fields") === undefined)
    throw new DriveError(400, "required", "The 'fields' parameter is required for this method.", {
      location: "fields",
    });
  const { email, quotaBytes } = call.access.session.account;
  const usage = String(call.store.usedBy(email));
  const about = {
    kind: "drive#about",
    user: user(email, email),
    storageQuota: { limit: String(quotaBytes), usage, usageInDrive: usage, usageInDriveTrash: "0" },
    maxUploadSize: "5242880000000",
    canCreateDrives: false,
  };
  return maskedAnswer(call, about, ABOUT_FIELDS, "*");
}

export function getDrive(call: Call): Answer {
  const drive = call.store.drives.get(call.id);
  const role = drive?.members.get(call.access.session.account.email);
  if (drive === undefined || role === undefined) throw sharedDriveNotFound(call.id);
  return maskedAnswer(call, driveResource(drive), DRIVE_FIELDS, "kind,id,name");
}

function driveResource({ id, name }: SharedDrive): Record<string, unknown> {
  return { kind: "drive#drive", id, name, hidden: false };
}
