import { SyncError } from "../../core/errors.ts";

/** Where the server listens, as requests must name it. */
export interface Listening {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"];
const WILDCARDS = new Set(["0.0.0.0", "[::]"]);
/** An address and a port. A page can be at a name that leads here, never at an address that is not ours. */
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;

/** All of 127.0.0.0/8 is this machine and nothing else. */
const LOOPBACK_ADDRESS = /^127(?:\.\d{1,3}){3}$/;

export function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.includes(bracketed(host)) || LOOPBACK_ADDRESS.test(host);
}

/** Says whether a Host header names this server. */
export class AllowedHosts {
  readonly #hosts: ReadonlySet<string>;
  /** `:8001`, where every address is ours because the server listens on all of them. */
  readonly #anyAddressAt: string | undefined;

  constructor({ host, port }: Listening) {
    const own = bracketed(host);
    const anywhere = WILDCARDS.has(own);
    const names = anywhere || LOOPBACK_NAMES.includes(own) ? LOOPBACK_NAMES : [own];
    const hosts = names.map((name) => `${name}:${port}`);
    this.#hosts = new Set(port === 80 ? [...hosts, ...names] : hosts);
    this.#anyAddressAt = anywhere ? `:${port}` : undefined;
  }

  /** @param host of a Host header, lower case: name and port as one text */
  has(host: string): boolean {
    if (this.#hosts.has(host)) return true;
    const at = this.#anyAddressAt;
    return at !== undefined && host.endsWith(at) && ADDRESS.test(host.slice(0, -at.length));
  }

  /** @param origin of an Origin header: only plain HTTP is served here */
  hasOrigin(origin: string): boolean {
    return origin.startsWith("http://") && this.has(origin.slice("http://".length).toLowerCase());
  }
}

/**
 * A page that the user opens can reach loopback under a name of its own that leads to 127.0.0.1 (DNS rebinding). Its
 * requests still carry that name.
 * @throws SyncError `forbidden_host`, also for a missing header, two, and a URL that names another host
 */
export function checkHost(request: Request, allowed: AllowedHosts | undefined): void {
  // Two headers arrive joined by a comma, which no host holds.
  const host = request.headers.get("host") ?? "";
  if (allowed?.has(host.toLowerCase()) === true && namesHost(request.url, host)) return;
  throw new SyncError("forbidden_host", "this server answers only to its own address in the Host header");
}

function namesHost(url: string, host: string): boolean {
  if (url.startsWith(`http://${host}/`)) return true;
  if (!URL.canParse(url)) return false;
  const { protocol, host: named } = new URL(url);
  return protocol === "http:" && named === host.toLowerCase().replace(/:80$/, "");
}

function bracketed(host: string): string {
  const name = host.toLowerCase();
  return name.includes(":") && !name.startsWith("[") ? `[${name}]` : name;
}
