import { type Answer, jsonAnswer } from "./answer.ts";

/** Where Drive saw the fault, and what else the answer carries. */
export interface DriveErrorDetails {
  readonly domain?: string;
  readonly location?: string;
  readonly locationType?: "parameter" | "header";
  readonly headers?: Readonly<Record<string, string>>;
}

/** What Drive answers instead of a result. Statuses, reasons and messages as its page "Resolve errors" has them. */
export class DriveError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
    readonly details: DriveErrorDetails = {},
  ) {
    super(message);
  }

  toAnswer(): Answer {
    const { domain = "global", location, locationType, headers = {} } = this.details;
    const where = location === undefined ? {} : { locationType: locationType ?? "parameter", location };
    const { status, reason, message } = this;
    return {
      ...jsonAnswer({ error: { errors: [{ domain, reason, message, ...where }], code: status, message } }, status),
      headers: { "content-type": "application/json; charset=UTF-8", ...headers },
    };
  }
}

/** A parameter's value that Drive does not take. */
export function invalidParameter(name: string, message = "Invalid Value"): DriveError {
  return new DriveError(400, message === "Invalid Value" ? "invalid" : "invalidParameter", message, { location: name });
}

/** Also what Drive says of a file that is there and may not be seen. */
export function fileNotFound(id: string): DriveError {
  return new DriveError(404, "notFound", `File not found: ${id}.`, { location: "fileId" });
}

export function badRequest(message: string): DriveError {
  return new DriveError(400, "badRequest", message);
}

export function insufficientPermissions(): DriveError {
  return new DriveError(
    403,
    "insufficientFilePermissions",
    "The user does not have sufficient permissions for this file.",
  );
}
