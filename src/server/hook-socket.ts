import { connectHooks } from "../api/hook-operations.ts";
import type { App } from "../app.ts";
import type { AcceptSocket } from "../platform/contract.ts";
import { isRoutePath } from "./route-path.ts";

/** A subscription fits many times. */
export const SOCKET_MESSAGE_BYTES_MAX = 16 * 1024;

/**
 * Makes a WebSocket of a handshake for `/api/modder/hooks/ws`, whose sender was checked; undefined for all other
 * requests. Outside the router, because the runtime wants its own answer back untouched.
 */
export function acceptHookSocket(app: App, request: Request, acceptSocket: AcceptSocket): Response | undefined {
  if (request.method !== connectHooks.method || !request.headers.has("upgrade")) return undefined;
  if (!isRoutePath(connectHooks.path, new URL(request.url).pathname)) return undefined;
  return acceptSocket(request, (socket) => app.hooks.connect(socket));
}
