import { SyncError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";

/** What a request may lay over the vault's settings of a destination: where in it, never whose or which machine. */
const ALLOWED: Readonly<Record<string, ReadonlySet<string>>> = {
  s3: new Set(["bucket", "prefix", "region", "path_style", "storage_class", "sse", "sse_kms_key_id"]),
  gdrive: new Set(["parent_id", "manifest_parent_id", "drive_id", "scopes", "prefix"]),
  local: new Set(["prefix"]),
};

/**
 * Settings that decide where credentials or files of this machine go. A web page that reached the API could otherwise
 * have the vault's keys sent to a server of its own.
 */
const PROTECTED = /^(credentials|service_account|aws_.*|endpoint_url|token_uri|profile|path)$/i;

/**
 * The request's `service_config`, checked.
 * @throws SyncError `protected_setting` for one that only the vault or the config file may hold; `schema` for an unknown
 * one. Names are told only from the list of known ones, never from the request.
 */
export function checkServiceConfig(service: string, config: JsonObject | undefined): JsonObject {
  if (config === undefined) return {};
  const keys = Object.keys(config);
  if (keys.some((key) => PROTECTED.test(key))) {
    throw new SyncError(
      "protected_setting",
      "service_config holds a setting that only the vault may hold (credentials, service_account, aws_*, endpoint_url, token_uri, profile, path); put it there with: comfyvn-sync vault set",
    );
  }
  const allowed = ALLOWED[service];
  if (!keys.every((key) => allowed?.has(key) === true)) {
    throw new SyncError("schema", `service_config of ${service} may hold: ${[...(allowed ?? [])].join(", ")}`);
  }
  return config;
}
