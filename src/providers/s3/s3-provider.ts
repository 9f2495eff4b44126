import { SyncError } from "../../core/errors.ts";
import type {
  ByteSource,
  Capabilities,
  ObjectInfo,
  OpenProvider,
  Provider,
  ProviderContext,
  PutOptions,
} from "../contract.ts";
import { identityOf, s3KeyFault } from "./address.ts";
import { S3Connection } from "./connection.ts";
import { S3Control } from "./control.ts";
import { copyObject } from "./copy.ts";
import { deleteObjects } from "./delete.ts";
import { getObject } from "./get.ts";
import { S3_LIMITS, type S3Limits } from "./limits.ts";
import { listObjects } from "./list.ts";
import { MultipartUploads } from "./multipart.ts";
import { headObject } from "./object-info.ts";
import { putWhole } from "./put.ts";
import { readS3Settings, type S3Settings } from "./settings.ts";
import { putInParts } from "./upload-parts.ts";
import { discardQuietly, unfinishedPuts } from "./upload-resume.ts";

/** What is known of a store beyond its settings. */
export interface S3Traits {
  readonly limits: S3Limits;
  /** Whether preconditions of a PUT are honoured. Whoever has probed the store says so here; default true. */
  readonly conditionalPut: boolean;
}

/**
 * Opens an S3 destination; sends nothing yet. `settings` as in settings.ts: the credentials are in them or nowhere.
 * @throws SyncError `provider_config`, `credentials_missing`
 */
export const openProvider: OpenProvider = async (settings, context) =>
  openS3Provider(readS3Settings(settings), context);

/** The same for checked settings and a store with traits of its own. */
export function openS3Provider(
  settings: S3Settings,
  context: ProviderContext,
  traits: Partial<S3Traits> = {},
): Provider {
  const limits = traits.limits ?? S3_LIMITS;
  const conditionalPut = traits.conditionalPut ?? true;
  const connection = new S3Connection(settings, limits, context);
  const control = new S3Control(connection);
  const uploads = new MultipartUploads(connection, control);
  return {
    service: "s3",
    identity: identityOf(settings),
    capabilities: capabilitiesOf(limits, conditionalPut),
    keyFault: s3KeyFault,
    put: async (key, source, options) => {
      checkKey(key);
      checkPut(source, options, limits, conditionalPut);
      return await putObject(connection, uploads, key, source, options);
    },
    get: async (key, options = {}) => {
      checkKey(key);
      return await getObject(connection, key, options);
    },
    stat: async (key, options) => {
      checkKey(key);
      const head = await headObject(connection, key, options?.signal);
      return head === undefined ? undefined : { key, size: head.size, version: head.version };
    },
    list: (prefix, options) => listObjects(control, settings.bucket, prefix, options?.signal),
    delete: (keys, options = {}) => deleteObjects(connection, control, keys, options),
    copy: async (from, to, options) => {
      checkKey(from);
      checkKey(to);
      return await copyObject({ connection, control, uploads }, from, to, options);
    },
    unfinished: unfinishedPuts(connection, uploads),
    close: async () => {
      control.close();
      connection.close();
    },
  };
}

function capabilitiesOf(limits: S3Limits, conditionalPut: boolean): Capabilities {
  return {
    conditionalPut,
    serverSideCopy: true,
    hierarchicalKeys: false,
    deleteBatchMax: limits.deleteBatchMax,
    objectBytesMax: limits.objectBytesMax,
  };
}

async function putObject(
  connection: S3Connection,
  uploads: MultipartUploads,
  key: string,
  source: ByteSource,
  options: PutOptions,
): Promise<ObjectInfo> {
  const whole = source.size <= connection.limits.singlePutBytesMax || options.precondition !== undefined;
  if (!whole) return await putInParts(connection, uploads, key, source, options);
  const info = await putWhole(connection, key, source, options);
  // Of the content that was there before, which took parts.
  if (options.resume !== undefined) await discardQuietly(uploads, options.resume);
  return info;
}

function checkKey(key: string): void {
  const fault = s3KeyFault(key);
  if (fault !== undefined) throw new SyncError("key_invalid", `the key ${fault}`);
}

function checkPut(source: ByteSource, options: PutOptions, limits: S3Limits, conditionalPut: boolean): void {
  if (source.size > limits.objectBytesMax)
    throw new SyncError("provider_unsupported", "the file is larger than the 5 TiB that S3 takes");
  if (options.precondition === undefined) return;
  if (!conditionalPut) throw new SyncError("provider_unsupported", "the store does not honour conditions on writing");
  if (source.size > limits.conditionalPutBytesMax) {
    throw new SyncError("provider_unsupported", "an object written under a condition is at most 1 GiB");
  }
}
