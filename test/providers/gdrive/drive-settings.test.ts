import { describe, expect, test } from "bun:test";
import type { SyncError } from "../../../src/core/errors.ts";
import { readDriveSettings, seesOwnFilesOnly } from "../../../src/providers/gdrive/settings.ts";

const CREDENTIALS = {
  type: "service_account",
  client_email: "sync@studio.iam.gserviceaccount.com",
  private_key: "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n",
  token_uri: "https://thief.example/token",
};
const LEAST = { parent_id: "folder-1", credentials: CREDENTIALS };

function refusal(settings: Readonly<Record<string, unknown>>): SyncError {
  try {
    readDriveSettings(settings);
  } catch (error) {
    return error as SyncError;
  }
  throw new Error("nothing was refused");
}

test("the Python studio's settings are taken as they are, with its defaults", () => {
  const settings = readDriveSettings({ ...LEAST, manifest_parent_id: null, scopes: "" });
  expect(settings).toMatchObject({ parentId: "folder-1", manifestParentId: "folder-1", base: "", driveId: undefined });
  expect(settings.scopes).toEqual(["https://www.googleapis.com/auth/drive.file"]);
  expect(seesOwnFilesOnly(settings)).toBe(true);
});

test("the key may be text and may be called service_account", () => {
  for (const settings of [
    { parent_id: "f", service_account: CREDENTIALS },
    { parent_id: "f", credentials: JSON.stringify(CREDENTIALS) },
  ])
    expect(readDriveSettings(settings).account.clientEmail).toBe(CREDENTIALS.client_email);
});

test("an address in the key goes nowhere", () => {
  expect(JSON.stringify(readDriveSettings(LEAST))).not.toContain("thief");
});

test("scopes are known by their whole address, their last part, or several in a list", () => {
  const drive = "https://www.googleapis.com/auth/drive";
  for (const scopes of ["drive", drive, [drive], "drive drive.file", ["drive", "drive.file"]])
    expect(readDriveSettings({ ...LEAST, scopes }).scopes[0]).toBe(drive);
});

describe("what cannot be right is refused by the setting's name, never with its value", () => {
  for (const [what, changes, code, name] of [
    ["no folder", { parent_id: undefined }, "provider_config", "parent_id"],
    ["an address instead of an id", { parent_id: "https://drive.google.com/CANARY" }, "provider_config", "parent_id"],
    ["a quote in an id", { parent_id: "x' or name contains 'CANARY" }, "provider_config", "parent_id"],
    ["an id that is no text", { drive_id: 7 }, "provider_config", "drive_id"],
    ["no key", { credentials: undefined }, "credentials_missing", "credentials"],
    [
      "a key of a person",
      { credentials: { ...CREDENTIALS, type: "authorized_user" } },
      "provider_config",
      "credentials",
    ],
    ["half a key", { credentials: { private_key: "CANARY" } }, "provider_config", "client_email"],
    ["text that is no JSON", { credentials: "CANARY" }, "provider_config", "credentials"],
    ["a scope of mail", { scopes: "https://mail.google.com/" }, "provider_config", "scopes"],
    ["a wider scope of Google's", { scopes: ["drive", "cloud-platform"] }, "provider_config", "scopes"],
    ["scopes that are none", { scopes: 7 }, "provider_config", "scopes"],
  ] as const) {
    test(what, () => {
      const error = refusal({ ...LEAST, ...changes });
      expect(error).toMatchObject({ code, message: expect.stringContaining(name) });
      expect(error.message + JSON.stringify(error.details)).not.toContain("CANARY");
    });
  }
});
