import ipaddr from "ipaddr.js";
import { SyncError } from "../../core/errors.ts";

const URL_CHARS_MAX = 2048;

/** Public by their numbers, yet the cloud's own inside its machines: Azure's host agent. */
const METADATA = new Set(["168.63.129.16"]);

/** All that is routed on the public internet by IPv6. */
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR("2000::/3");

/**
 * The address of a webhook, as every later step reads it.
 * @throws SyncError `webhook_url`, which repeats nothing of `text`
 */
export function parseWebhookUrl(text: string): URL {
  const url = text.length <= URL_CHARS_MAX ? URL.parse(text) : null;
  if (url === null || hostOf(url) === "") {
    throw new SyncError(
      "webhook_url",
      `a webhook's url is an http or https address of at most ${URL_CHARS_MAX} characters`,
    );
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new SyncError("webhook_url", "a webhook's url begins with http:// or https://");
  }
  if (url.username !== "" || url.password !== "") {
    throw new SyncError(
      "webhook_url",
      "a webhook's url holds no user or password, since addresses are shown; let the receiver check the signature instead",
    );
  }
  return url;
}

/** The host without the brackets that IPv6 has in URLs. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/**
 * True for what is routed on the public internet and leads to no other kind of address by translation. An allow-list:
 * what nobody thought of is refused.
 */
function isPublicAddress(text: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return ipaddr.IPv4.parse(text).range() === "unicast" && !METADATA.has(text);
  }
  if (!ipaddr.IPv6.isValid(text)) return false;
  const address = ipaddr.IPv6.parse(text);
  if (address.range() !== "unicast" || !address.match(GLOBAL_V6)) return false;
  const embedded = isatapTarget(address.parts);
  return embedded === undefined || isPublicAddress(embedded);
}

/** The IPv4 address that a tunnel of RFC 5214 would send to: `…:[02]00:5efe:a.b.c.d`. */
function isatapTarget(parts: readonly number[]): string | undefined {
  const [, , , , marker = 0, protocol = 0, high = 0, low = 0] = parts;
  if ((marker & ~0x0200) !== 0 || protocol !== 0x5efe) return undefined;
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

export interface TargetPolicy {
  /** `hooks.allow_private_targets`. */
  readonly allowPrivate: boolean;
  /** Every address of a host name; empty when it has none. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
}

/**
 * The addresses that `url` may be sent to now: the caller connects to one of these and looks nothing up again. Empty
 * when the name has none.
 * @throws SyncError `webhook_refused` when the policy allows not every one of them: a name that leads to both kinds is a trick
 */
export async function allowedAddresses(url: URL, policy: TargetPolicy): Promise<readonly string[]> {
  const host = hostOf(url);
  if (!policy.allowPrivate && /(^|\.)localhost\.?$/i.test(host)) throw refused();
  const addresses = ipaddr.isValid(host) ? [host] : await policy.resolve(host);
  if (!policy.allowPrivate && !addresses.every(isPublicAddress)) throw refused();
  return addresses;
}

function refused(): SyncError {
  return new SyncError(
    "webhook_refused",
    "the webhook's address leads to this machine or a private network; if that is meant, set hooks.allow_private_targets to true in config/comfyvn.json",
  );
}
