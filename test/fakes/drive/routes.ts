import { getAbout, getDrive } from "./account-methods.ts";
import type { Answer } from "./answer.ts";
import type { Call } from "./call.ts";
import { badRequest } from "./drive-error.ts";
import type { DriveRequest } from "./drive-request.ts";
import { copyFile, createFile, deleteFile, download, generateIds, getFile, updateFile } from "./file-methods.ts";
import { listFiles, type ListingManners } from "./list-method.ts";
import type { ApiRouteName } from "./route-name.ts";
import { continueSession, mediaUpload, multipartUpload, openSession } from "./upload-methods.ts";
import type { UploadSessions } from "./upload-session.ts";

/** What methods share beside the store. */
export interface Services {
  readonly sessions: UploadSessions;
  readonly listing: ListingManners;
}

/** One method of the API, or one way to call it. */
interface Route {
  readonly parameters: readonly string[];
  /** Any of these scopes. */
  readonly scopes: readonly string[];
  readonly answer: (call: Call, services: Services) => Answer | Promise<Answer>;
}

const WRITE_SCOPES = ["drive", "drive.file"];
const READ_SCOPES = [...WRITE_SCOPES, "drive.readonly"];
const METADATA_SCOPES = [...READ_SCOPES, "drive.metadata", "drive.metadata.readonly"];
const ALL_DRIVES = "supportsAllDrives";
const PARENTS = ["addParents", "removeParents"];

/** Parameters and scopes as the reference has them; those that are deprecated or of no use here are unknown. */
const ROUTES: Readonly<Record<ApiRouteName, Route>> = {
  "about.get": { parameters: [], scopes: METADATA_SCOPES, answer: getAbout },
  "drives.get": { parameters: [], scopes: ["drive", "drive.readonly"], answer: getDrive },
  "files.list": {
    parameters: [
      "q",
      "orderBy",
      "pageSize",
      "pageToken",
      "corpora",
      "driveId",
      "includeItemsFromAllDrives",
      ALL_DRIVES,
      "spaces",
    ],
    scopes: METADATA_SCOPES,
    answer: (call, { listing }) => listFiles(call, listing),
  },
  "files.generateIds": { parameters: ["count", "space", "type"], scopes: WRITE_SCOPES, answer: generateIds },
  "files.get": { parameters: [ALL_DRIVES], scopes: METADATA_SCOPES, answer: getFile },
  "files.download": { parameters: [ALL_DRIVES, "acknowledgeAbuse"], scopes: READ_SCOPES, answer: download },
  "files.create": { parameters: [ALL_DRIVES], scopes: WRITE_SCOPES, answer: createFile },
  "files.create.multipart": upload([], multipartUpload),
  "files.create.media": upload([], mediaUpload),
  "files.create.resumable": upload([], (call, { sessions }) => openSession(call, sessions)),
  "files.update": {
    parameters: [ALL_DRIVES, ...PARENTS],
    scopes: [...WRITE_SCOPES, "drive.metadata"],
    answer: updateFile,
  },
  "files.update.multipart": upload(PARENTS, multipartUpload),
  "files.update.media": upload(PARENTS, mediaUpload),
  "files.update.resumable": upload(PARENTS, (call, { sessions }) => openSession(call, sessions)),
  "files.copy": { parameters: [ALL_DRIVES], scopes: WRITE_SCOPES, answer: copyFile },
  "files.delete": { parameters: [ALL_DRIVES], scopes: WRITE_SCOPES, answer: deleteFile },
  "upload.chunk": session(),
  "upload.status": session(),
};

function upload(parameters: readonly string[], answer: Route["answer"]): Route {
  return { parameters: ["uploadType", ALL_DRIVES, ...parameters], scopes: WRITE_SCOPES, answer };
}

function session(): Route {
  return {
    parameters: ["uploadType", "upload_id"],
    scopes: WRITE_SCOPES,
    answer: (call, { sessions }) => continueSession(call, sessions),
  };
}

/** A request's method and the id in its path. */
export interface MatchedRoute {
  readonly name: ApiRouteName;
  readonly route: Route;
  readonly id: string;
}

/** @throws DriveError for an upload of a type that does not exist; undefined for an address that does not */
export function matchRoute(request: DriveRequest): MatchedRoute | undefined {
  const [, uploads, path] = /^(\/upload)?\/drive\/v3\/(.+)$/.exec(request.path) ?? [];
  if (path === undefined) return undefined;
  const found = uploads === undefined ? matchApi(request, path) : matchUpload(request, path);
  return found === undefined ? undefined : { ...found, route: ROUTES[found.name] };
}

type Found = Pick<MatchedRoute, "name" | "id">;

function matchApi({ method, query }: DriveRequest, path: string): Found | undefined {
  const [resource, id = "", action, ...more] = path.split("/");
  if (more.length > 0) return undefined;
  const key = `${method} ${resource}${id === "" ? "" : "/ID"}${action === undefined ? "" : `/${action}`}`;
  if (`${method} ${path}` === "GET files/generateIds") return { name: "files.generateIds", id: "" };
  const names: Readonly<Record<string, MatchedRoute["name"]>> = {
    "GET about": "about.get",
    "GET drives/ID": "drives.get",
    "GET files": "files.list",
    "POST files": "files.create",
    "GET files/ID": query.get("alt") === "media" ? "files.download" : "files.get",
    "PATCH files/ID": "files.update",
    "DELETE files/ID": "files.delete",
    "POST files/ID/copy": "files.copy",
  };
  const name = names[key];
  return name === undefined ? undefined : { name, id: decodeURIComponent(id) };
}

function matchUpload({ method, query, headers }: DriveRequest, path: string): Found | undefined {
  const [, id = ""] = /^files(?:\/([^/]+))?$/.exec(path) ?? [];
  if (!/^files(\/[^/]+)?$/.test(path)) return undefined;
  const type = query.get("uploadType");
  if (method === "PUT" && type === "resumable") {
    const asks = headers.get("content-range")?.startsWith("bytes */") === true;
    return { name: asks ? "upload.status" : "upload.chunk", id };
  }
  const verb = method === "POST" && id === "" ? "create" : method === "PATCH" && id !== "" ? "update" : undefined;
  if (verb === undefined) return undefined;
  if (type !== "multipart" && type !== "media" && type !== "resumable") throw badRequest("Invalid uploadType.");
  return { name: `files.${verb}.${type}`, id };
}
