import type { CreateBackupRequest, RestoreBackupRequest } from "../../api/backup-request.ts";
import type { DryRunRequest, RunRequest } from "../../api/sync-request.ts";
import type {
  App,
  BackupList,
  CreatedBackup,
  DryRunResult,
  ManifestAnswer,
  ManifestRequest,
  RestoredBackup,
  RunResult,
  VerifiedBackup,
} from "../../app.ts";
import { SyncError } from "../../core/errors.ts";
import { serverProblem } from "./server-problem.ts";

/** What a command asks for, answered by this process's App or by a server. */
export type StudioApi = Pick<
  App,
  "manifest" | "dryRun" | "run" | "createBackup" | "listBackups" | "verifyBackup" | "restoreBackup"
>;

export interface ServerClientOptions {
  /** Without a slash at its end. */
  readonly address: string;
  readonly token: string | undefined;
  /** What to do where no server answers. */
  readonly advice?: string;
  /** Fires at Ctrl-C: the server sees the connection end and cancels. */
  readonly signal: AbortSignal;
}

/** A server has this long to say that it is there. */
const HELLO_MS_MAX = 5_000;

/** The API of a running server. Methods throw what the server answered, or SyncError `server_unreachable`, `aborted`. */
export class ServerClient implements StudioApi {
  readonly #options: ServerClientOptions;

  constructor(options: ServerClientOptions) {
    this.#options = options;
  }

  /** @throws SyncError `server_unreachable`, `unauthorized`, when no server of ours answers at the address */
  async greet(): Promise<void> {
    const soon = AbortSignal.any([this.#options.signal, AbortSignal.timeout(HELLO_MS_MAX)]);
    await this.#call("GET", "/api/health", { signal: soon });
  }

  async manifest(request: ManifestRequest): Promise<ManifestAnswer> {
    const query = new URLSearchParams();
    if (request.snapshot !== undefined) query.set("snapshot", request.snapshot);
    if (request.include !== undefined) query.set("include", request.include.join(","));
    if (request.exclude !== undefined) query.set("exclude", request.exclude.join(","));
    if (request.followSymlinks === true) query.set("follow_symlinks", "true");
    if (request.withEntries === true) query.set("detail", "entries");
    if (request.rehash === true) query.set("rehash", "true");
    return (await this.#call("GET", `/api/sync/manifest?${query}`)) as ManifestAnswer;
  }

  async dryRun(request: DryRunRequest): Promise<DryRunResult> {
    return (await this.#call("POST", "/api/sync/dry_run", withBody(request))) as DryRunResult;
  }

  async run(request: RunRequest): Promise<RunResult> {
    return (await this.#call("POST", "/api/sync/run", withBody(request))) as RunResult;
  }

  async createBackup(request: CreateBackupRequest): Promise<CreatedBackup> {
    return (await this.#call("POST", "/api/backup/create", withBody(request))) as CreatedBackup;
  }

  async restoreBackup(request: RestoreBackupRequest): Promise<RestoredBackup> {
    return (await this.#call("POST", "/api/backup/restore", withBody(request))) as RestoredBackup;
  }

  async listBackups(): Promise<BackupList> {
    return (await this.#call("GET", "/api/backup")) as BackupList;
  }

  async verifyBackup(name: string): Promise<VerifiedBackup> {
    return (await this.#call("POST", "/api/backup/verify", withBody({ name }))) as VerifiedBackup;
  }

  /** The answer to a request, whatever it is. */
  async fetch(method: "GET" | "POST", path: string, init: RequestInit = {}): Promise<Response> {
    const { address, token, signal, advice = "leave --server out to work without one" } = this.#options;
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    try {
      // Nothing is sent where another server points: the token is this one's.
      return await fetch(address + path, { signal, ...init, method, headers, redirect: "manual" });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new SyncError(
        "server_unreachable",
        `no server answers at ${address}; start one there (comfyvn-sync serve), or ${advice}`,
        { cause: error, retryable: true },
      );
    }
  }

  /** The body of a good answer as JSON. */
  async #call(method: "GET" | "POST", path: string, init?: RequestInit): Promise<unknown> {
    const response = await this.fetch(method, path, init);
    const { address, signal } = this.#options;
    const body = await response.text().catch((error: unknown) => {
      if (signal.aborted) throw error;
      throw cutOff(address, error);
    });
    if (!response.ok || !isJson(response)) throw serverProblem(address, response.status, body);
    try {
      return JSON.parse(body);
    } catch (error) {
      throw cutOff(address, error);
    }
  }
}

function withBody(body: object): RequestInit {
  return { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}

function isJson(response: Response): boolean {
  return /^application\/([\w.-]+\+)?json\b/i.test(response.headers.get("content-type") ?? "");
}

function cutOff(address: string, cause: unknown): SyncError {
  return new SyncError(
    "server_unreachable",
    `the server at ${address} went away in the middle of its answer; what it was doing is cancelled, run the command again`,
    { cause, retryable: true },
  );
}
