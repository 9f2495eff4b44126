/**
 * A fake of Google Drive v3 for service accounts, over real HTTP on loopback, written from Google's documentation. What
 * it does not know it refuses, and `refused` tells what.
 *
 *   const fake = await DriveFake.start();
 *   fake.account.file     // the service account's JSON, for the vault
 *   fake.url              // stands for https://www.googleapis.com and for https://oauth2.googleapis.com
 *   fake.drive.id         // a shared drive whose organizer the account is; also the id of its root folder
 *   fake.script = new DriveFaultScript([{ on: "files.create.multipart", nth: 2, fault: { kind: "hang", when: "after" } }]);
 *   …
 *   fake.script.assertAllFired();
 *   fake.assertNothingRefused();
 *   await fake.stop();
 *
 * A client sends its token requests to `<url>/token` and everything else to the paths it has at Google
 * (`<url>/drive/v3/…`, `<url>/upload/drive/v3/…`). The assertion's `aud` stays Google's own. Upload sessions are at
 * absolute addresses below the `Host` that the request named. The account's scopes decide what it sees: with drive.file
 * only what its app made, so `fake.drive.id` needs `drive` and `fake.addFolder({ madeBy: fake.account.app })` does not.
 *
 * As a process of its own, for trying things by hand: bun test/fakes/drive/main.ts.
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Access, requireScope } from "./access.ts";
import type { Answer } from "./answer.ts";
import type { Call } from "./call.ts";
import { serveConnection } from "./connection.ts";
import { DriveError } from "./drive-error.ts";
import { type DriveFault, DriveFaultScript, type FaultTarget } from "./drive-faults.ts";
import type { DriveRequest } from "./drive-request.ts";
import { DriveStore, type SharedDrive } from "./drive-store.ts";
import { FakeClock } from "./fake-clock.ts";
import { type Ending, playAfter, playBefore } from "./fault-play.ts";
import { contentOf, type FileRecord, FOLDER_TYPE, type Role } from "./file-record.ts";
import type { ListingManners } from "./list-method.ts";
import { Parameters } from "./parameters.ts";
import { type LoggedRequest, RequestLog } from "./request-log.ts";
import type { RouteName } from "./route-name.ts";
import { type MatchedRoute, matchRoute } from "./routes.ts";
import { createServiceAccount, type ServiceAccount } from "./service-account.ts";
import { TokenEndpoint } from "./tokens.ts";
import { UploadSessions } from "./upload-session.ts";

/** A file or folder that is there before the client comes. */
export interface SeedFile {
  readonly name: string;
  /** A folder's id; the shared drive's root when absent. */
  readonly parent?: string;
  /** Absent for a folder. */
  readonly content?: Uint8Array | string;
  /** The app that made it; none when absent. */
  readonly madeBy?: string;
  /** Of the app in `madeBy`. */
  readonly appProperties?: Readonly<Record<string, string>>;
}

export class DriveFake {
  readonly clock = new FakeClock();
  readonly store = new DriveStore(this.clock);
  readonly tokens = new TokenEndpoint(this.clock);
  readonly sessions = new UploadSessions(this.clock);
  readonly log = new RequestLog();
  readonly listing: ListingManners = { pageFilesMax: 450, hiddenFolder: "empty" };
  /** Requests that Drive, or this fake of it, does not know: a client never sends one. */
  readonly refused: string[] = [];
  script = new DriveFaultScript();
  /** Called for each request when its head has arrived, and waited for: the place for kills and for other writers. */
  onRequest: (request: LoggedRequest) => void | Promise<void> = () => undefined;
  /** Called for each piece of a request's body as it arrives. */
  onPiece: (request: LoggedRequest, bytes: number) => void = () => undefined;
  readonly account: ServiceAccount;
  readonly drive: SharedDrive;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor() {
    this.account = this.addAccount("sync", "studio");
    this.drive = this.store.addSharedDrive("Studio", [[this.account.email, "organizer"]]);
  }

  static async start(port = 0): Promise<DriveFake> {
    const fake = new DriveFake();
    const server = createServer((socket) => void fake.#serve(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    fake.#server = server;
    return fake;
  }

  get url(): string {
    const address = this.#server?.address() as AddressInfo | undefined;
    return `http://127.0.0.1:${address?.port}`;
  }

  /** Ends every connection. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server?.close(() => resolve()));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  /** @param quotaBytes what it may own in its My Drive; new accounts: nothing */
  addAccount(name: string, app: string, quotaBytes = 0): ServiceAccount {
    const account = createServiceAccount(name, app, quotaBytes);
    this.tokens.add(account);
    return account;
  }

  addFolder(file: Omit<SeedFile, "content">): FileRecord {
    return this.addFile(file);
  }

  /** A folder of a person's My Drive, shared with `account`. */
  addSharedFolder(name: string, role: Role, account = this.account): FileRecord {
    const owner = "artist@studio.example";
    const parent = this.store.rootOf(owner);
    const sharedWith = new Map([[account.email, role]]);
    return this.store.create({ id: this.store.newId(), name, parent, driveId: undefined, owner, sharedWith });
  }

  addFile({ name, parent = this.drive.id, content, madeBy, appProperties = {} }: SeedFile): FileRecord {
    const folder = this.store.get(parent);
    if (folder === undefined) throw new Error(`there is no folder ${parent}`);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    return this.store.create({
      id: this.store.newId(),
      name,
      parent,
      driveId: folder.driveId,
      owner: folder.owner,
      mimeType: bytes === undefined ? FOLDER_TYPE : "application/octet-stream",
      content: bytes === undefined ? undefined : contentOf(bytes),
      headRevisionId: bytes === undefined ? undefined : this.store.newId(),
      madeBy,
      appProperties: new Map(madeBy === undefined ? [] : [[madeBy, new Map(Object.entries(appProperties))]]),
    });
  }

  /** What no log and no error message may ever hold: pieces of private keys, assertions, tokens, addresses of uploads. */
  get secrets(): string[] {
    return [...this.tokens.secrets, ...this.sessions.ids];
  }

  /** @throws Error that lists what was refused */
  assertNothingRefused(): void {
    const all = [...this.refused, ...this.tokens.refused.map((each) => `token: ${each}`)];
    if (all.length > 0) throw new Error(`the fake refused ${all.length} requests: ${all.slice(0, 10).join("; ")}`);
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    await serveConnection(socket, (request) => this.#answer(request));
  }

  /** Answers one request, or tells how its connection ends. */
  async #answer(arriving: DriveRequest): Promise<Answer | Ending> {
    const request: DriveRequest = { ...arriving, pieces: () => this.#counted(arriving.pieces(), logged) };
    const token = request.method === "POST" && (request.path === "/token" || request.path === "/oauth2/v4/token");
    let matched: MatchedRoute | undefined;
    let unmatched: DriveError | undefined;
    try {
      matched = token ? undefined : matchRoute(request);
      if (!token && matched === undefined) unmatched = new DriveError(404, "notFound", "Not Found");
    } catch (error) {
      if (!(error instanceof DriveError)) throw error;
      unmatched = error;
    }
    const name = token ? "token" : (matched?.name ?? "unknown");
    const logged = this.log.begin(name, request.method, `${request.path}?${request.query}`);
    await this.onRequest(logged);
    const fault = name === "unknown" ? undefined : this.script.meet(targetsOf(name, request.method));
    if (fault !== undefined) logged.fault = fault.kind;
    const outcome = await this.#withFault(fault, request, async () => {
      if (token) return await this.tokens.answer(request);
      if (matched === undefined)
        return this.#refuse(request, unmatched ?? new DriveError(404, "notFound", "Not Found"));
      return await this.#call(matched, request, fault, logged);
    });
    if ("status" in outcome) logged.status = outcome.status;
    return outcome;
  }

  async *#counted(pieces: AsyncIterable<Uint8Array>, logged: LoggedRequest): AsyncGenerator<Uint8Array, void> {
    for await (const piece of pieces) {
      logged.bodyBytesIn += piece.length;
      this.onPiece(logged, piece.length);
      yield piece;
    }
  }

  async #withFault(
    fault: DriveFault | undefined,
    request: DriveRequest,
    apply: () => Promise<Answer>,
  ): Promise<Answer | Ending> {
    if (fault?.kind === "token_revoked") this.tokens.revokeAll();
    if (fault?.kind === "meanwhile") await fault.act();
    const instead = fault === undefined ? undefined : await playBefore(fault, request);
    if (instead !== undefined) return instead;
    const answer = await apply();
    return fault === undefined ? answer : playAfter(fault, answer);
  }

  async #call(
    { name, route, id }: MatchedRoute,
    request: DriveRequest,
    fault: DriveFault | undefined,
    logged: LoggedRequest,
  ): Promise<Answer> {
    try {
      const session = this.#sessionOf(name, request);
      requireScope(session, route.scopes);
      const call: Call = {
        request,
        parameters: new Parameters(request.query, route.parameters),
        id,
        access: new Access(this.store, session),
        store: this.store,
        clock: this.clock,
        origin: `http://${request.headers.get("host") ?? ""}`,
        fault,
        logged,
      };
      return await route.answer(call, { sessions: this.sessions, listing: this.listing });
    } catch (error) {
      if (!(error instanceof DriveError)) throw error;
      return isClientFault(error) ? this.#refuse(request, error) : error.toAnswer();
    }
  }

  /** An upload session's address is a credential of its own: a token may come with it, and then has to hold. */
  #sessionOf(name: MatchedRoute["name"], request: DriveRequest) {
    const onSession = name === "upload.chunk" || name === "upload.status";
    if (!onSession || request.headers.has("authorization")) return this.tokens.sessionOf(request);
    return this.sessions.find(request.query.get("upload_id") ?? "").plan.owner;
  }

  #refuse({ method, path, query }: DriveRequest, error: DriveError): Answer {
    this.refused.push(`${method} ${path}?${query}: ${error.status} ${error.message}`);
    return error.toAnswer();
  }
}

/** Whether no state of the drive could make the request right. */
function isClientFault({ status, reason }: DriveError): boolean {
  return [400, 411, 413, 415].includes(status) || CLIENT_FAULTS.has(reason);
}

const CLIENT_FAULTS = new Set([
  "fieldNotWritable",
  "propertyLengthLimitExceeded",
  "propertyCountLimitExceeded",
  "teamDrivesParentLimit",
  "cannotAddParent",
  "teamDriveIdRequiresTeamDriveCorpora",
  "teamDrivesIncludeRequired",
  "teamDrivesSupportRequired",
  "uploadOffsetTooLarge",
]);

function targetsOf(name: RouteName, method: string): FaultTarget[] {
  if (name === "token") return [name];
  return method === "GET" ? [name, "any"] : [name, "any", "write"];
}
