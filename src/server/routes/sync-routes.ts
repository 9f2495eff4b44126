import { Elysia } from "elysia";
import {
  DryRunRequestSchema,
  type ManifestQuery,
  ManifestQuerySchema,
  RunRequestSchema,
} from "../../api/sync-request.ts";
import type { App, ManifestRequest } from "../../app.ts";
import { SyncError } from "../../core/errors.ts";
import { readJsonBody } from "../json-body.ts";
import { checker } from "../validate.ts";

const checkManifestQuery = checker(ManifestQuerySchema);
const checkDryRun = checker(DryRunRequestSchema);
const checkRun = checker(RunRequestSchema);

/** `/api/sync/*`. `signalOf` ends with the request's connection or the server, whichever comes first. */
export function syncRoutes(app: App, signalOf: (request: Request) => AbortSignal) {
  return new Elysia({ prefix: "/api/sync" })
    .get("/manifest", async ({ request }) => {
      await app.requireSyncEnabled();
      return await app.manifest(manifestRequest(checkManifestQuery(queryOf(request))), signalOf(request));
    })
    .post(
      "/dry_run",
      async ({ request }) => {
        await app.requireSyncEnabled();
        return await app.dryRun(checkDryRun(await readJsonBody(request)), signalOf(request));
      },
      { parse: "none" },
    )
    .post(
      "/run",
      async ({ request }) => {
        await app.requireSyncEnabled();
        return await app.run(checkRun(await readJsonBody(request)), signalOf(request));
      },
      { parse: "none" },
    );
}

/** @throws SyncError `bad_request` for a parameter given twice: which one counts must not be a guess */
function queryOf(request: Request): Record<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of new URL(request.url).searchParams) {
    if (query.has(name)) throw new SyncError("bad_request", "a query parameter is given twice");
    query.set(name, value);
  }
  return Object.fromEntries(query);
}

function manifestRequest(query: ManifestQuery): ManifestRequest {
  return {
    snapshot: query.snapshot,
    include: listOf(query.include),
    exclude: listOf(query.exclude),
    followSymlinks: query.follow_symlinks === "true" || query.follow_symlinks === "1",
    withEntries: query.detail === "entries",
  };
}

/** `a,b` as a list; an empty text counts as absent. */
function listOf(text: string | undefined): readonly string[] | undefined {
  const items = text?.split(",").filter((item) => item !== "") ?? [];
  return items.length === 0 ? undefined : items;
}
