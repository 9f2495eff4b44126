import { Elysia } from "elysia";
import {
  CreateBackupRequestSchema,
  RestoreBackupRequestSchema,
  VerifyBackupRequestSchema,
} from "../../api/backup-request.ts";
import type { App } from "../../app.ts";
import { readJsonBody } from "../json-body.ts";
import { checker } from "../validate.ts";

const checkCreate = checker(CreateBackupRequestSchema);
const checkRestore = checker(RestoreBackupRequestSchema);
const checkVerify = checker(VerifyBackupRequestSchema);

/** `/api/backup*`, behind no flag. `signalOf` ends with the request's connection or the server, whichever comes first. */
export function backupRoutes(app: App, signalOf: (request: Request) => AbortSignal) {
  return new Elysia({ prefix: "/api/backup" })
    .get("", () => app.listBackups())
    .post(
      "/create",
      async ({ request }) =>
        await app.createBackup(checkCreate(await readJsonBody(request)), { signal: signalOf(request) }),
      { parse: "none" },
    )
    .post(
      "/restore",
      async ({ request }) =>
        await app.restoreBackup(checkRestore(await readJsonBody(request)), { signal: signalOf(request) }),
      { parse: "none" },
    )
    .post(
      "/verify",
      async ({ request }) => {
        const { name } = checkVerify(await readJsonBody(request));
        return await app.verifyBackup(name, { signal: signalOf(request) });
      },
      { parse: "none" },
    );
}
