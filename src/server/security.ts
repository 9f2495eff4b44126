import { SyncError } from "../core/errors.ts";

/** Where the server listens, as requests must name it. */
export interface Listening {
  readonly host: string;
  readonly port: number;
}

/** Must be known wherever the server can be reached from other machines. */
export interface AccessPolicy {
  /** undefined until the server listens: then every request is refused. */
  readonly listening: () => Listening | undefined;
  /** Bearer token that every request must carry; undefined on loopback. */
  readonly token: string | undefined;
}

const LOOPBACK_HOSTS = new Set(["localhost", "127.0.0.1", "[::1]", "::1"]);
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

export function isLoopback(host: string): boolean {
  return LOOPBACK_HOSTS.has(host.toLowerCase());
}

/**
 * Lets a request pass only when it names this server and no foreign web page sent it. A page that the user opens can
 * reach loopback: by its own name rebound to 127.0.0.1 (Host), by forms and fetch without CORS (Origin).
 * @throws SyncError `forbidden_host`, `forbidden_origin`, `unauthorized`
 */
export async function checkAccess(request: Request, policy: AccessPolicy): Promise<void> {
  const allowed = allowedHosts(policy.listening());
  const host = request.headers.get("host")?.toLowerCase() ?? "";
  if (!allowed.has(host) || new URL(request.url).host.toLowerCase() !== withoutDefaultPort(host)) {
    throw new SyncError("forbidden_host", "this server answers only to its own address in the Host header");
  }
  if (!SAFE_METHODS.has(request.method)) checkOrigin(request, allowed);
  if (policy.token !== undefined) await checkToken(request, policy.token);
}

function allowedHosts(listening: Listening | undefined): ReadonlySet<string> {
  if (listening === undefined) return new Set();
  const names = isLoopback(listening.host) ? ["localhost", "127.0.0.1", "[::1]"] : [bracketed(listening.host)];
  const hosts = new Set(names.map((name) => `${name.toLowerCase()}:${listening.port}`));
  if (listening.port === 80) for (const name of names) hosts.add(name.toLowerCase());
  return hosts;
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

function withoutDefaultPort(host: string): string {
  return host.endsWith(":80") ? host.slice(0, -3) : host;
}

/** A browser names the page's origin on every state-changing request; programs send none. */
function checkOrigin(request: Request, allowed: ReadonlySet<string>): void {
  const foreign = () => new SyncError("forbidden_origin", "requests from web pages of other origins are refused");
  const origin = request.headers.get("origin");
  if (origin !== null && !(origin.startsWith("http://") && allowed.has(origin.slice("http://".length).toLowerCase())))
    throw foreign();
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") throw foreign();
}

async function checkToken(request: Request, token: string): Promise<void> {
  const given = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  const [a, b] = await Promise.all([digest(given), digest(token)]);
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  if (difference !== 0)
    throw new SyncError("unauthorized", "send the token of COMFYVN_API_TOKEN as Authorization: Bearer <token>");
}

/** Equal lengths for the comparison, and no early exit that would tell how much of a guess was right. */
async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
