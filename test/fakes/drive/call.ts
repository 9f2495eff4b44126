import type { Access } from "./access.ts";
import type { Answer } from "./answer.ts";
import { jsonAnswer } from "./answer.ts";
import type { DriveFault } from "./drive-faults.ts";
import type { DriveRequest } from "./drive-request.ts";
import type { DriveStore } from "./drive-store.ts";
import type { FakeClock } from "./fake-clock.ts";
import type { FieldTree } from "./field-trees.ts";
import { FILE_FIELDS } from "./field-trees.ts";
import { applyFieldMask, parseFieldMask } from "./field-mask.ts";
import { DEFAULT_FILE_FIELDS, fileResource } from "./file-resource.ts";
import type { FileRecord } from "./file-record.ts";
import type { Parameters } from "./parameters.ts";
import type { LoggedRequest } from "./request-log.ts";

/** Everything a method needs to answer one request. */
export interface Call {
  readonly request: DriveRequest;
  readonly parameters: Parameters;
  /** The id in the path, if there is one. */
  readonly id: string;
  readonly access: Access;
  readonly store: DriveStore;
  readonly clock: FakeClock;
  /** Where the API is, as the client reached it. */
  readonly origin: string;
  /** Those faults that a method itself has to play. */
  readonly fault: DriveFault | undefined;
  readonly logged: LoggedRequest;
}

/** Answers with the part of `value` that the request asks for. @throws DriveError for fields that do not exist */
export function maskedAnswer(call: Call, value: unknown, tree: FieldTree, absent: string): Answer {
  return jsonAnswer(applyFieldMask(value, parseFieldMask(call.parameters.text("fields") ?? absent, tree)));
}

/** Answers with a file. @param fields those that an upload session was opened with; else the request's own */
export function fileAnswer(call: Call, record: FileRecord, fields = call.parameters.text("fields")): Answer {
  const mask = parseFieldMask(fields ?? DEFAULT_FILE_FIELDS, FILE_FIELDS);
  return jsonAnswer(applyFieldMask(fileResource(record, call.access, call.store), mask));
}

/** Refuses a mask before anything is applied. @throws DriveError */
export function checkFileFields(call: Call): void {
  parseFieldMask(call.parameters.text("fields") ?? DEFAULT_FILE_FIELDS, FILE_FIELDS);
}
