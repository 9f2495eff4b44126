import type { ServiceName } from "../../config/flags.ts";
import { SyncError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { CommandLine } from "../command-line.ts";
import { type Answers, unanswered } from "./answers.ts";
import { parseS3Credentials, parseServiceAccount, readCredentials, s3CredentialsOfEnvironment } from "./credentials.ts";

/** The flags that describe a destination. */
export interface DestinationAnswers {
  readonly bucket?: string;
  readonly prefix?: string;
  readonly region?: string;
  readonly endpointUrl?: string;
  readonly parentId?: string;
  readonly manifestParentId?: string;
  readonly credentialsFile?: string;
  readonly credentialsFromEnv?: boolean;
  readonly folder?: string;
}

/** Which flags belong to which service. */
const TAKEN: Readonly<Record<ServiceName, readonly (keyof DestinationAnswers)[]>> = {
  s3: ["bucket", "prefix", "region", "endpointUrl", "credentialsFile", "credentialsFromEnv"],
  gdrive: ["parentId", "manifestParentId", "prefix", "credentialsFile"],
  local: ["folder"],
};

/** @throws SyncError `usage` for a flag of another service, which would do nothing */
export function checkFlags(service: ServiceName, flags: DestinationAnswers): void {
  for (const name of Object.values(TAKEN).flat()) {
    if (flags[name] === undefined || TAKEN[service].includes(name)) continue;
    throw new SyncError(
      "usage",
      `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} does not go with --service ${service}`,
    );
  }
}

const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/;

/** What the answers change of the vault's entry of an S3 destination, which is `present`. */
export async function askS3(
  cli: CommandLine,
  answers: Answers,
  flags: DestinationAnswers,
  present: JsonObject,
): Promise<JsonObject> {
  const bucket = await answers.text({
    flag: "--bucket",
    given: flags.bucket,
    present: textOf(present, "bucket"),
    words: "Which bucket?",
    placeholder: "studio-nightly",
    check: (text) => (BUCKET.test(text) ? undefined : "a bucket's name is 3 to 255 letters, digits, dots, dashes"),
  });
  const endpoint = await answers.text({
    flag: "--endpoint-url",
    given: flags.endpointUrl,
    present: textOf(present, "endpoint_url"),
    words: "Address of the store? Leave it empty for Amazon S3",
    placeholder: "https://s3.example.com",
    check: (text) => (/^https?:\/\/[^\s@]+$/.test(text) ? undefined : "it is an address like https://s3.example.com"),
    isOptional: true,
  });
  const region = await answers.text({
    flag: "--region",
    given: flags.region,
    present: textOf(present, "region") ?? "us-east-1",
    words: "Which region?",
  });
  const prefix = await askPrefix(answers, flags, present);
  const keys = await s3Keys(cli, answers, flags, present);
  return changesOf(present, { bucket, endpoint_url: endpoint, region, prefix, ...keys });
}

/** What the answers change of the vault's entry of a Drive destination. */
export async function askDrive(
  cli: CommandLine,
  answers: Answers,
  flags: DestinationAnswers,
  present: JsonObject,
): Promise<JsonObject> {
  const parent = await answers.text({
    flag: "--parent-id",
    given: flags.parentId,
    present: textOf(present, "parent_id"),
    words: "Which Drive folder? Its id, or its address in the browser",
    check: (text) => (/^[\w-]+$/.test(folderId(text)) ? undefined : "an id is letters, digits, - and _"),
  });
  const prefix = await askPrefix(answers, flags, present);
  const hasKey = isJsonObject(present["credentials"]) || isJsonObject(present["service_account"]);
  const path =
    flags.credentialsFile ??
    (hasKey && !(await answers.confirm("Take another service account's key?", false))
      ? undefined
      : await answers.text({
          flag: "--credentials-file",
          given: undefined,
          present: undefined,
          words: "Where is the JSON key of the service account?",
          placeholder: "service-account.json",
        }));
  const credentials = path === undefined ? {} : { credentials: parseServiceAccount(await readCredentials(cli, path)) };
  return changesOf(present, {
    parent_id: folderId(parent),
    ...(flags.manifestParentId === undefined ? {} : { manifest_parent_id: folderId(flags.manifestParentId) }),
    prefix,
    // A folder that a person made and shared: with the default, drive.file, the account would not see it.
    scopes: textOf(present, "scopes") ?? "drive",
    ...credentials,
  });
}

/** The folder of a local destination, as an absolute path. */
export async function askFolder(
  cli: CommandLine,
  root: string,
  answers: Answers,
  given: string | undefined,
  present: string | undefined,
): Promise<string> {
  const { files } = cli.platform;
  const answer = await answers.text({
    flag: "--folder",
    given,
    present,
    words: "Which folder? It must be there already, e.g. on a NAS or another disk",
    placeholder: "/mnt/nas/studio",
  });
  // What is typed is meant from where one stands; what the config file says, from the workspace.
  const folder = files.resolve(answer, answer === present && given === undefined ? root : undefined);
  const real = await files.realPath(folder);
  if (real === undefined || (await files.stat(real))?.kind !== "directory") {
    throw new SyncError("file_missing", `${folder} is not a folder; mount the disk or make the folder first`);
  }
  const top = await files.realPath(root);
  let place = real;
  while (place !== top && files.dirname(place) !== place) place = files.dirname(place);
  if (place !== top) return folder;
  throw new SyncError(
    "usage",
    "the folder lies in the workspace, which would be mirrored into itself; name one outside",
  );
}

async function askPrefix(answers: Answers, flags: DestinationAnswers, present: JsonObject): Promise<string> {
  return await answers.text({
    flag: "--prefix",
    given: flags.prefix,
    present: textOf(present, "prefix"),
    words: "A folder inside it, for this project alone? May be empty",
    placeholder: "dev",
    isOptional: true,
  });
}

async function s3Keys(
  cli: CommandLine,
  answers: Answers,
  flags: DestinationAnswers,
  present: JsonObject,
): Promise<JsonObject> {
  if (flags.credentialsFile !== undefined) return parseS3Credentials(await readCredentials(cli, flags.credentialsFile));
  if (flags.credentialsFromEnv === true) return s3CredentialsOfEnvironment(cli);
  const hasKeys = textOf(present, "aws_access_key_id") !== undefined;
  if (hasKeys && !(await answers.confirm("The vault has keys already. Replace them?", false))) return {};
  const needed = (text: string) => (/^[!-~]+$/.test(text) ? undefined : "letters, digits and signs without spaces");
  const id = await answers.hidden("Access key id (typed unseen)", needed);
  const secret = await answers.hidden("Secret access key (typed unseen)", needed);
  if (id !== undefined && secret !== undefined) return { aws_access_key_id: id, aws_secret_access_key: secret };
  throw unanswered("--credentials-file FILE (- is stdin) or --credentials-from-env");
}

function textOf(entry: JsonObject, name: string): string | undefined {
  const value = entry[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function changesOf(present: JsonObject, answers: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(answers).filter(([name, value]) => value !== (present[name] ?? "")));
}

/**
 * An entry with changes made. An empty answer takes a setting away; new keys take an old session's token with them, and
 * the key that `credentials` stands before.
 */
export function withChanges(entry: JsonObject, changes: JsonObject): JsonObject {
  const changed = { ...entry, ...changes };
  if (changes["aws_access_key_id"] !== undefined && changes["aws_session_token"] === undefined) {
    delete changed["aws_session_token"];
  }
  if (changes["credentials"] !== undefined) delete changed["service_account"];
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== ""));
}

/** `https://drive.google.com/drive/folders/ID?…` or the id itself. */
function folderId(text: string): string {
  return /\/folders\/([\w-]+)/.exec(text)?.[1] ?? text;
}
