/**
 * The API in a worker (workerd, Cloudflare): what needs no file system; what needs one answers 501 with the code
 * `needs_file_system`. A worker of your own imports the library (mod.ts) beside it. Nothing else is exported here: the
 * runtime takes each export of a worker's main module for an entry point.
 */
import * as backups from "./api/backup-operations.ts";
import * as server from "./api/health-operations.ts";
import * as hooks from "./api/hook-operations.ts";
import type { Operation } from "./api/operation.ts";
import * as sync from "./api/sync-operations.ts";
import * as webhooks from "./api/webhook-operations.ts";
import { systemClock } from "./core/clock.ts";
import { SyncError } from "./core/errors.ts";
import { newPortableHasher } from "./core/hash.ts";
import { VERSION } from "./core/version.ts";
import { listHooks } from "./hooks/listing.ts";
import { describingAnswers } from "./server/openapi/answers.ts";
import { problemResponse } from "./server/problem.ts";
import { ApiToken, checkTokenForm } from "./server/security/api-token.ts";
import { SECURITY_HEADERS } from "./server/security/response-headers.ts";

/** Every operation of the API, whether a worker can carry it out or not. */
const OPERATIONS: readonly Operation[] = [server, sync, backups, hooks, webhooks].flatMap((each) =>
  Object.values<Operation>({ ...each }),
);

interface EdgeOptions {
  /** When there is one, every request must carry it as `Authorization: Bearer <token>`. */
  readonly token?: string;
}

/**
 * A fetch handler that answers, of this product's API, health, the descriptions and the catalogue of hooks. None of
 * them tells anything of a workspace or a vault.
 * @throws SyncError `server_host_refused` for a token that no request could send
 */
function createEdgeHandler({ token }: EdgeOptions = {}): (request: Request) => Response {
  if (token !== undefined) checkTokenForm(token);
  const access = token === undefined ? undefined : new ApiToken(token, newPortableHasher, systemClock);
  const answers = edgeAnswers();
  return (request) => {
    try {
      access?.check(request);
      const path = new URL(request.url).pathname;
      const offered = OPERATIONS.filter((operation) => operation.path === path);
      const operation = offered.find(({ method }) => method === request.method);
      if (operation === undefined) throw unknown(offered);
      const answer = answers.get(operation);
      if (answer === undefined) throw needsFileSystem();
      return answer();
    } catch (error) {
      return problemResponse(error);
    }
  };
}

function edgeAnswers(): ReadonlyMap<Operation, () => Response> {
  const json = (value: unknown) =>
    Response.json(value, { headers: { ...SECURITY_HEADERS, "content-type": "application/json" } });
  const { openApi, docs } = describingAnswers(() => [...answers.keys()], newPortableHasher);
  const startedAtMs = systemClock.now();
  const answers = new Map<Operation, () => Response>([
    [
      server.getHealth,
      () =>
        json({
          status: "ok",
          version: VERSION,
          uptime_s: Math.floor((systemClock.now() - startedAtMs) / 1000),
          features: NO_FEATURES,
          vault: { present: false, unlocked: false },
        }),
    ],
    [server.getOpenApi, openApi],
    [server.getDocs, docs],
    [
      hooks.listHooks,
      () =>
        json({
          ok: true,
          hooks: listHooks(),
          webhooks: [],
          plugin_host: { enabled: false, root: null },
          history: [],
        }),
    ],
  ]);
  return answers;
}

/** There is no workspace to mirror. */
const NO_FEATURES = {
  enable_cloud_sync: false,
  enable_cloud_sync_s3: false,
  enable_cloud_sync_gdrive: false,
  enable_cloud_sync_local: false,
};

function needsFileSystem(): SyncError {
  return new SyncError(
    "needs_file_system",
    "a worker has no workspace; ask a server of this product that runs on the studio's machine",
  );
}

function unknown(offered: readonly Operation[]): SyncError {
  if (offered.length === 0) {
    return new SyncError("not_found", "there is nothing at this address; GET /docs tells what there is");
  }
  const allow = offered.map(({ method }) => method);
  return new SyncError("method_not_allowed", `this address takes ${allow.join(" and ")}`, { details: { allow } });
}

let handler: ((request: Request) => Response) | undefined;

/** What a worker's runtime starts. The token comes from the binding COMFYVN_API_TOKEN. */
export default {
  fetch(request: Request, environment: { readonly COMFYVN_API_TOKEN?: string } = {}): Response {
    const token = environment.COMFYVN_API_TOKEN;
    handler ??= createEdgeHandler(token === undefined || token === "" ? {} : { token });
    return handler(request);
  },
};
