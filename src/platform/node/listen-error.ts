import { SyncError } from "../../core/errors.ts";
import type { ServeOptions } from "../contract.ts";
import { systemCode } from "./system-error.ts";

/** Why a server could not listen, for the person who started it: `port_in_use` or `server_host_refused`. */
export function listenError({ host, port }: ServeOptions, cause: unknown): SyncError {
  if (systemCode(cause) === "EADDRINUSE") {
    const what = `port ${port} is in use; stop the other server or choose another with --port`;
    return new SyncError("port_in_use", what, { cause });
  }
  const what = `cannot listen on ${host}:${port}; check --host and --port`;
  return new SyncError("server_host_refused", what, { cause });
}
