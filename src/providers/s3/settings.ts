import Type, { type Static } from "typebox";
import { Check } from "typebox/value";
import { SyncError } from "../../core/errors.ts";
import type { ProviderSettings } from "../contract.ts";

/**
 * The settings of an S3 destination as the vault holds them, with the request's own over them. Keys that other rooms
 * read (`prefix`, `profile`) may stand beside them and are not looked at.
 */
const S3SettingsSchema = Type.Object({
  /** No `/`, `?`, `#`, `@` or `:` can get into a URL through it. */
  bucket: Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$" }),
  /** Default us-east-1. */
  region: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$" })),
  /** http(s), without user, query and fragment; a path is kept. Default: AWS in `region`. */
  endpoint_url: Type.Optional(Type.String({ minLength: 1, maxLength: 2048 })),
  /**
   * `<endpoint>/<bucket>/<key>` instead of `<bucket>.<endpoint>/<key>`. Default true with `endpoint_url`. `vault set`
   * writes what it reads as text, so the words are taken as well.
   */
  path_style: Type.Optional(Type.Union([Type.Boolean(), Type.Literal("true"), Type.Literal("false")])),
  storage_class: Type.Optional(Type.String({ pattern: "^[A-Z][A-Z0-9_-]{0,63}$" })),
  sse: Type.Optional(Type.Union([Type.Literal("AES256"), Type.Literal("aws:kms")])),
  sse_kms_key_id: Type.Optional(Type.String({ pattern: "^[!-~]{1,2048}$" })),
  aws_access_key_id: Type.String({ pattern: "^[!-~]{1,256}$" }),
  aws_secret_access_key: Type.String({ pattern: "^[!-~]{1,1024}$" }),
  aws_session_token: Type.Optional(Type.String({ pattern: "^[!-~]{1,16384}$" })),
});

type RawSettings = Static<typeof S3SettingsSchema>;
type SettingName = keyof RawSettings;

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3Settings {
  readonly bucket: string;
  readonly region: string;
  readonly endpoint: URL;
  readonly pathStyle: boolean;
  /** Amazon's own S3, which keeps a SHA-256 beside the object when it is given one. */
  readonly isAws: boolean;
  readonly storageClass?: string;
  readonly sse?: "AES256" | "aws:kms";
  readonly sseKmsKeyId?: string;
  readonly credentials: S3Credentials;
}

/** What to say about a setting that does not fit. The value itself is never shown. */
const HINTS: Readonly<Record<SettingName, string>> = {
  bucket: "is 3 to 255 letters, digits, dots, dashes and underscores, and starts and ends with a letter or digit",
  region: "is letters, digits and dashes, like eu-central-1",
  endpoint_url: "is an address like https://s3.example.com",
  path_style: "is true or false",
  storage_class: "is a name in capitals like STANDARD_IA",
  sse: "is AES256 or aws:kms",
  sse_kms_key_id: "is the id or ARN of a KMS key",
  aws_access_key_id: "holds a space, a line end or another character that no access key has",
  aws_secret_access_key: "holds a space, a line end or another character that no secret key has",
  aws_session_token: "holds a space, a line end or another character that no session token has",
};

const CREDENTIAL_NAMES = ["aws_access_key_id", "aws_secret_access_key"] as const;

/**
 * Checks settings and fills in what is left out. Credentials come from `settings` and nowhere else.
 * @throws SyncError `credentials_missing`, `provider_config` (names the setting, never its value)
 */
export function readS3Settings(settings: ProviderSettings): S3Settings {
  const raw = checkedSettings(settings);
  const region = raw.region ?? "us-east-1";
  const endpoint = raw.endpoint_url === undefined ? awsEndpoint(region) : parseEndpoint(raw.endpoint_url);
  if (raw.bucket.endsWith("--x-s3")) {
    throw new SyncError(
      "provider_config",
      "directory buckets (S3 Express) are not supported; use a general purpose bucket",
    );
  }
  if (raw.sse_kms_key_id !== undefined && raw.sse !== "aws:kms")
    throw badSetting("sse_kms_key_id", "needs sse to be aws:kms");
  return {
    bucket: raw.bucket,
    region,
    endpoint,
    pathStyle:
      raw.path_style === undefined
        ? raw.endpoint_url !== undefined || !isHostLabel(raw.bucket)
        : String(raw.path_style) === "true",
    isAws: /(^|\.)amazonaws\.com(\.cn)?$/.test(endpoint.hostname),
    ...(raw.storage_class === undefined ? {} : { storageClass: raw.storage_class }),
    ...(raw.sse === undefined ? {} : { sse: raw.sse }),
    ...(raw.sse_kms_key_id === undefined ? {} : { sseKmsKeyId: raw.sse_kms_key_id }),
    credentials: {
      accessKeyId: raw.aws_access_key_id,
      secretAccessKey: raw.aws_secret_access_key,
      ...(raw.aws_session_token === undefined ? {} : { sessionToken: raw.aws_session_token }),
    },
  };
}

/** An empty or null setting counts as one that is left out, as the Python studio writes them. */
function checkedSettings(settings: ProviderSettings): RawSettings {
  const raw: Record<string, unknown> = {};
  for (const name of Object.keys(HINTS)) {
    const value = settings[name];
    if (value !== undefined && value !== null && value !== "") raw[name] = value;
  }
  for (const name of CREDENTIAL_NAMES) {
    if (raw[name] === undefined)
      throw new SyncError("credentials_missing", `the vault's entry for s3 has no ${name}; set it there`);
  }
  if (raw.bucket === undefined) throw badSetting("bucket", "is missing: set the name of the bucket");
  const properties: Readonly<Record<SettingName, Type.TSchema>> = S3SettingsSchema.properties;
  for (const name of Object.keys(HINTS) as SettingName[]) {
    if (raw[name] !== undefined && !Check(properties[name], raw[name])) throw badSetting(name, HINTS[name]);
  }
  return raw as RawSettings;
}

function badSetting(name: SettingName, what: string): SyncError {
  return new SyncError("provider_config", `the s3 setting ${name} ${what}`, { details: { setting: name } });
}

function awsEndpoint(region: string): URL {
  return new URL(`https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`);
}

function parseEndpoint(text: string): URL {
  // Not URL.parse: the library runs on Node 20, too.
  if (!URL.canParse(text)) throw badSetting("endpoint_url", HINTS.endpoint_url);
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw badSetting("endpoint_url", HINTS.endpoint_url);
  if (url.username !== "" || url.password !== "")
    throw badSetting("endpoint_url", "holds a user or password; leave them out");
  if (text.includes("?") || text.includes("#"))
    throw badSetting("endpoint_url", "holds a query or fragment; leave it out");
  return url;
}

/** Whether a bucket can be the first label of a host that a wildcard certificate covers. */
function isHostLabel(bucket: string): boolean {
  return /^[a-z0-9-]{3,63}$/.test(bucket);
}
