import { expect, test } from "bun:test";
import { toSyncError } from "../../src/core/errors.ts";
import { DryRunRequestSchema, ManifestQuerySchema } from "../../src/api/sync-request.ts";
import { checker } from "../../src/server/validate.ts";

function messageOf(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    return toSyncError(error).message;
  }
  return "no error";
}

test("a value that is none of a field's choices is answered with the choices, and is not repeated", () => {
  const body = checker(DryRunRequestSchema);
  const query = checker(ManifestQuerySchema);
  expect(messageOf(() => body({ service: "canary" }))).toBe("service must be one of: s3, gdrive, local");
  expect(messageOf(() => query({ follow_symlinks: "canary" }))).toBe(
    "follow_symlinks must be one of: true, false, 1, 0, True, False",
  );
  expect(messageOf(() => query({ detail: "canary" }))).toBe("detail must be one of: entries");
});

test("a bad value inside a list is told from a bad list", () => {
  const body = checker(DryRunRequestSchema);
  expect(messageOf(() => body({ service: "s3", paths: [5] }))).toBe("a value in paths must be string");
  expect(messageOf(() => body({ service: "s3", paths: "assets" }))).toBe("paths must be array");
});
