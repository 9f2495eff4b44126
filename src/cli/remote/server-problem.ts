import { ERROR_CODES, type ErrorCode, SyncError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";

/** An error that a server answered: its own words and code, and for --json its very answer. */
export class ServerProblem extends SyncError {
  constructor(
    code: ErrorCode,
    message: string,
    details: JsonObject,
    /** The answer's body. */
    readonly body: string,
  ) {
    super(code, message, { details });
  }
}

const MEMBERS: ReadonlySet<string> = new Set(["type", "title", "status", "detail", "code"]);

/**
 * What a server's answer with a status of 400 and more says.
 * @returns SyncError `server_unreachable` for what is not problem+json: some other program answers there
 */
export function serverProblem(address: string, status: number, body: string): SyncError {
  const problem = parsed(body);
  if (problem === undefined || typeof problem["detail"] !== "string") {
    return new SyncError(
      "server_unreachable",
      `what answers at ${address} is no comfyvn-sync server (status ${status})`,
    );
  }
  const code = ERROR_CODES.find((each) => each === problem["code"]) ?? "internal";
  const details = Object.fromEntries(Object.entries(problem).filter(([name]) => !MEMBERS.has(name)));
  return new ServerProblem(code, problem["detail"], details, body);
}

function parsed(body: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
