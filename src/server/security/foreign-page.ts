import { SyncError } from "../../core/errors.ts";
import type { AllowedHosts } from "./allowed-hosts.ts";

/** What a page of another origin may ask for without being able to read it, and links may lead to. Costs next to nothing. */
const OPEN_PATHS = new Set(["/api/health", "/docs", "/openapi.json"]);
const READING = new Set(["GET", "HEAD"]);

/**
 * A page of another origin can send forms, `no-cors` requests and WebSocket upgrades to loopback, but not without its
 * browser saying so. Programs say nothing and pass. Reads are refused too: a scan or an open stream costs something.
 * @throws SyncError `forbidden_origin`
 */
export function checkForeignPage(request: Request, allowed: AllowedHosts | undefined): void {
  const { headers } = request;
  const origin = headers.get("origin");
  const site = headers.get("sec-fetch-site");
  if (origin === null && site === null) return;
  const ownOrigin = origin === null || allowed?.hasOrigin(origin) === true;
  const ownSite = site === null || site === "same-origin" || site === "none";
  if ((ownOrigin && ownSite) || (READING.has(request.method) && OPEN_PATHS.has(pathOf(request.url)))) return;
  throw new SyncError("forbidden_origin", "requests from web pages of other origins are refused");
}

function pathOf(url: string): string {
  return new URL(url).pathname;
}
