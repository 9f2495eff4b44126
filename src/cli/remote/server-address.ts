import { SyncError } from "../../core/errors.ts";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * The address that `--server` names, without a slash at its end.
 * @throws SyncError `usage` for anything but http(s)://HOST[:PORT][/PATH]. Nothing of it is repeated: a password in a URL
 * is a secret on the command line
 */
export function serverAddress(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new SyncError("usage", "--server takes an address like http://127.0.0.1:8001");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new SyncError(
      "usage",
      "--server takes an address without a user, ? and #; the server's token comes from COMFYVN_API_TOKEN",
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

/** True where others on the way could read what is sent. */
export function isOpenToOthers(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "http:" && !LOOPBACK.test(hostname);
}
