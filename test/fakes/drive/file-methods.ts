import { type Answer, emptyAnswer } from "./answer.ts";
import { type Call, checkFileFields, fileAnswer, maskedAnswer } from "./call.ts";
import { DriveError, invalidParameter } from "./drive-error.ts";
import { readBody } from "./drive-request.ts";
import { GENERATED_IDS_FIELDS } from "./field-trees.ts";
import { type ChangeOptions, FileChanges } from "./file-changes.ts";
import { type FileMetadata, parseFileMetadata } from "./file-metadata.ts";
import { parseByteRange } from "./byte-range.ts";
import { corrupted } from "./corrupted.ts";

const METADATA_BYTES_MAX = 64 * 1024;

/** What the parameters say of shared drives and folders. */
export function changeOptions({ parameters }: Call): ChangeOptions {
  return {
    supportsAllDrives: parameters.flag("supportsAllDrives"),
    addParents: listOf(parameters.text("addParents")),
    removeParents: listOf(parameters.text("removeParents")),
  };
}

export function getFile(call: Call): Answer {
  return fileAnswer(call, call.access.find(call.id, call.parameters.flag("supportsAllDrives")));
}

/** `alt=media`: the content, or a range of it. */
export function download(call: Call): Answer {
  const record = call.access.find(call.id, call.parameters.flag("supportsAllDrives"));
  if (record.content === undefined)
    throw new DriveError(
      403,
      "fileNotDownloadable",
      "Only files with binary content can be downloaded. Use Export with Docs Editors files.",
      { location: "alt" },
    );
  const bytes = call.fault?.kind === "corrupt_download" ? corrupted(record.content.bytes) : record.content.bytes;
  const headers = { "content-type": record.mimeType, "content-disposition": "attachment" };
  const range = parseByteRange(call.request.headers.get("range"), bytes.length);
  if (range === undefined) {
    call.logged.contentBytesOut = bytes.length;
    return { status: 200, headers, body: bytes };
  }
  const { first, last } = range;
  call.logged.contentBytesOut = last - first + 1;
  const where = { "content-range": `bytes ${first}-${last}/${bytes.length}` };
  return { status: 206, headers: { ...headers, ...where }, body: bytes.subarray(first, last + 1) };
}

export async function createFile(call: Call): Promise<Answer> {
  const metadata = await metadataOf(call);
  return fileAnswer(call, changes(call).create(metadata, undefined, changeOptions(call)));
}

export async function updateFile(call: Call): Promise<Answer> {
  const metadata = await metadataOf(call);
  return fileAnswer(call, changes(call).update(call.id, metadata, undefined, changeOptions(call)));
}

export async function copyFile(call: Call): Promise<Answer> {
  const metadata = await metadataOf(call);
  return fileAnswer(call, changes(call).copy(call.id, metadata, changeOptions(call)));
}

export async function deleteFile(call: Call): Promise<Answer> {
  await readBody(call.request, 0);
  changes(call).remove(call.id, changeOptions(call));
  return emptyAnswer(204);
}

export function generateIds(call: Call): Answer {
  const { parameters, store, access } = call;
  if ((parameters.text("space") ?? "drive") !== "drive") throw invalidParameter("space");
  if ((parameters.text("type") ?? "files") !== "files") throw invalidParameter("type");
  const count = parameters.integer("count", { min: 1, max: 1000, absent: 10 });
  const ids = store.reserveIds(count, access.session.account.email);
  return maskedAnswer(call, { kind: "drive#generatedIds", space: "drive", ids }, GENERATED_IDS_FIELDS, "*");
}

/** The metadata that is the whole body. */
export async function metadataOf(call: Call): Promise<FileMetadata> {
  const body = await readBody(call.request, METADATA_BYTES_MAX);
  const type = call.request.headers.get("content-type")?.split(";")[0]?.trim();
  if (body.length > 0 && type !== "application/json")
    throw new DriveError(415, "unsupportedMediaType", "The body is not application/json.");
  checkFileFields(call);
  return parseFileMetadata(body);
}

function changes({ store, access, clock }: Call): FileChanges {
  return new FileChanges(store, access, clock);
}

function listOf(text: string | undefined): string[] {
  return text === undefined || text === "" ? [] : text.split(",").map((each) => each.trim());
}
