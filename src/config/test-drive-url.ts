import { SyncError } from "../core/errors.ts";

/** The environment variable by which tests put a server of their own in Google's place. No request can set it. */
export const TEST_DRIVE_URL = "COMFYVN_TEST_DRIVE_URL";

const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];

/**
 * The origin to send everything to that is Google's; undefined when the variable is unset.
 * @throws SyncError `config_invalid` for anything but http on loopback: the vault's key would go there
 */
export function readTestDriveUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const bare = url !== null && url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
  if (bare && url.password === "" && url.protocol === "http:" && LOOPBACK.includes(url.hostname)) return url.origin;
  throw new SyncError(
    "config_invalid",
    `${TEST_DRIVE_URL} is for tests of this product only and takes nothing but http://127.0.0.1:PORT; unset it`,
  );
}
