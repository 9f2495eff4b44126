import { type AllowedHosts, checkHost } from "./allowed-hosts.ts";
import type { ApiToken } from "./api-token.ts";
import { checkForeignPage } from "./foreign-page.ts";

/** Who may ask at all. */
export interface AccessPolicy {
  /** undefined until the server listens: then every request is refused. */
  readonly hosts: () => AllowedHosts | undefined;
  /** undefined where only programs of this machine reach the server. */
  readonly token: ApiToken | undefined;
}

/**
 * Lets a request pass only when it names this server, no foreign web page sent it, and it carries the token where there
 * is one. Every request goes through here before it is routed: WebSocket upgrades and streams too.
 * @throws SyncError `forbidden_host`, `forbidden_origin`, `unauthorized`, `too_many_attempts`
 */
export function checkAccess(request: Request, policy: AccessPolicy): void {
  const hosts = policy.hosts();
  checkHost(request, hosts);
  checkForeignPage(request, hosts);
  policy.token?.check(request);
}
