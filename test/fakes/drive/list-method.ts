import { createHash } from "node:crypto";
import type { Answer } from "./answer.ts";
import { type Call, maskedAnswer } from "./call.ts";
import { DriveError, fileNotFound, invalidParameter } from "./drive-error.ts";
import { FILE_LIST_FIELDS } from "./field-trees.ts";
import { fileResource } from "./file-resource.ts";
import type { FileRecord } from "./file-record.ts";
import { matchesQuery } from "./query-match.ts";
import { parseQuery, type Query } from "./query-syntax.ts";

const DEFAULT_FIELDS = "kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType,driveId,teamDriveId)";
const PAGE_FILES_MAX = 1000;

/** Where Drive may answer a listing in several ways, which one it is. */
export interface ListingManners {
  /** Most files of a page, whatever `pageSize` asks for. */
  pageFilesMax: number;
  /** What a folder that cannot be seen answers: nothing, as if it were empty, or an error. */
  hiddenFolder: "empty" | "not_found";
}

/** `files.list`, answered from the search index. */
export function listFiles(call: Call, manners: ListingManners): Answer {
  const corpus = readCorpus(call);
  const query = readQuery(call);
  if (manners.hiddenFolder === "not_found") requireFolders(query, call);
  const asked = Math.min(pageSize(call), manners.pageFilesMax);
  const most = call.fault?.kind === "short_page" ? call.fault.files : asked;
  const order = readOrder(call);
  const begin = readPageToken(call);
  const found = [...call.store.indexed()]
    .filter((record) => inCorpus(record, corpus) && call.access.sees(record) && record.parent !== undefined)
    .filter((record) => query === undefined || matches(query, record, call))
    .toSorted(order);
  const at = begin(found);
  const page = found.slice(at, at + most);
  const next = found[at + page.length];
  const value = {
    kind: "drive#fileList",
    incompleteSearch: call.fault?.kind === "incomplete_search",
    ...(next === undefined ? {} : { nextPageToken: pageToken(call, next, at + page.length) }),
    files: page.map((record) => fileResource(record, call.access, call.store)),
  };
  return maskedAnswer(call, value, FILE_LIST_FIELDS, DEFAULT_FIELDS);
}

interface Corpus {
  /** Only this shared drive. */
  readonly driveId: string | undefined;
  /** Items of shared drives are among the results. */
  readonly sharedDrives: boolean;
}

/** @throws DriveError where the parameters for shared drives do not go together */
function readCorpus({ parameters, store, access }: Call): Corpus {
  const corpora = parameters.text("corpora") ?? "user";
  const driveId = parameters.text("driveId");
  const includes = parameters.flag("includeItemsFromAllDrives");
  if (!["user", "drive", "allDrives"].includes(corpora)) throw invalidParameter("corpora");
  if ((parameters.text("spaces") ?? "drive") !== "drive") throw invalidParameter("spaces");
  if ((driveId !== undefined) !== (corpora === "drive"))
    throw drivesMismatch(
      "teamDriveIdRequiresTeamDriveCorpora",
      "The driveId parameter must be specified if and only if corpora is set to drive.",
    );
  if (corpora !== "user" && !includes)
    throw drivesMismatch(
      "teamDrivesIncludeRequired",
      "The includeItemsFromAllDrives parameter must be set to true when driveId is specified or corpora contains drive or allDrives.",
    );
  if (includes && !parameters.flag("supportsAllDrives"))
    throw drivesMismatch(
      "teamDrivesSupportRequired",
      "The supportsAllDrives parameter must be set to true when includeItemsFromAllDrives is set to true.",
    );
  if (driveId !== undefined && store.drives.get(driveId)?.members.has(access.session.account.email) !== true)
    throw sharedDriveNotFound(driveId);
  return { driveId, sharedDrives: includes };
}

export function sharedDriveNotFound(driveId: string): DriveError {
  return new DriveError(404, "notFound", `Shared drive not found: ${driveId}`, { location: "driveId" });
}

function drivesMismatch(reason: string, message: string): DriveError {
  return new DriveError(403, reason, message);
}

function inCorpus(record: FileRecord, { driveId, sharedDrives }: Corpus): boolean {
  if (driveId !== undefined) return record.driveId === driveId;
  return record.driveId === undefined || sharedDrives;
}

function readQuery({ parameters }: Call): Query | undefined {
  const text = parameters.text("q");
  return text === undefined || text === "" ? undefined : parseQuery(text);
}

/** @throws DriveError when the query names a folder that cannot be seen */
function requireFolders(query: Query | undefined, call: Call): void {
  if (query === undefined) return;
  if (query.kind === "not") requireFolders(query.query, call);
  if (query.kind === "and" || query.kind === "or")
    for (const each of [query.left, query.right]) requireFolders(each, call);
  if (query.kind !== "in") return;
  const folder = call.store.get(query.value);
  if (query.value !== "root" && (folder === undefined || !call.access.sees(folder))) throw fileNotFound("");
}

function matches(query: Query, record: FileRecord, { access, store }: Call): boolean {
  const { app, email } = access.session.account;
  return matchesQuery(query, record, {
    app,
    rootId: store.rootOf(email),
    isTrashed: (each) => store.isTrashed(each),
  });
}

function pageSize({ parameters }: Call): number {
  // Above 1000 it counts as 1000.
  const size = parameters.integer("pageSize", { min: 1, max: 999_999_999, absent: 100 });
  return Math.min(size, PAGE_FILES_MAX);
}

type Order = (a: FileRecord, b: FileRecord) => number;

const ORDERS: Readonly<Record<string, Order>> = {
  createdTime: (a, b) => a.createdTimeMs - b.createdTimeMs,
  modifiedTime: (a, b) => a.modifiedTimeMs - b.modifiedTimeMs,
  name: (a, b) => a.name.localeCompare(b.name),
  name_natural: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }),
  quotaBytesUsed: (a, b) => (a.content?.bytes.length ?? 0) - (b.content?.bytes.length ?? 0),
  folder: (a, b) => Number(a.content !== undefined) - Number(b.content !== undefined),
};

/** Without orderBy the order means nothing: by a hash of the id, so that nobody comes to rely on it. */
function readOrder({ parameters }: Call): Order {
  const keys = (parameters.text("orderBy") ?? "").split(",").filter((key) => key !== "");
  const orders = keys.map((key) => {
    const [, name, way] = /^\s*(\w+)(?: (asc|desc))?\s*$/.exec(key) ?? [];
    const order = ORDERS[name ?? ""];
    if (order === undefined) throw invalidParameter("orderBy");
    return way === "desc" ? (a: FileRecord, b: FileRecord) => order(b, a) : order;
  });
  return (a, b) => {
    for (const order of orders) {
      const found = order(a, b);
      if (found !== 0) return found;
    }
    return scatter(a.id) < scatter(b.id) ? -1 : 1;
  };
}

function scatter(id: string): string {
  let hash = scattered.get(id);
  if (hash === undefined) {
    hash = createHash("md5").update(id).digest("hex");
    scattered.set(id, hash);
  }
  return hash;
}

const scattered = new Map<string, string>();

/**
 * A token holds for the same question only. Without orderBy it names the file that the next page begins with, so that
 * changes between two pages skip nothing; with it a number of files.
 */
function pageToken(call: Call, next: FileRecord, at: number): string {
  const begin = call.parameters.text("orderBy") === undefined ? scatter(next.id) : String(at);
  return `~!!~${Buffer.from(`${begin}:${question(call)}`).toString("base64url")}`;
}

/** @returns where in the files found a page begins. @throws DriveError */
function readPageToken(call: Call): (found: readonly FileRecord[]) => number {
  const token = call.parameters.text("pageToken");
  if (token === undefined) return () => 0;
  const text = Buffer.from(token.replace("~!!~", ""), "base64url").toString("latin1");
  const [begin = "", asked] = text.split(":");
  if (asked !== question(call)) throw invalidParameter("pageToken");
  if (call.parameters.text("orderBy") !== undefined) return () => Number(begin);
  return (found) => {
    const at = found.findIndex(({ id }) => scatter(id) >= begin);
    return at < 0 ? found.length : at;
  };
}

function question({ parameters }: Call): string {
  const asked = ["q", "orderBy", "corpora", "driveId", "spaces"].map((name) => parameters.text(name) ?? "");
  return createHash("md5").update(JSON.stringify(asked)).digest("hex");
}
