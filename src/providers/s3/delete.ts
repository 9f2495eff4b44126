import { type DeleteObjectsCommandOutput, DeleteObjectsCommand } from "@aws-sdk/client-s3";
import { SyncError, throwIfAborted } from "../../core/errors.ts";
import type { CallOptions, DeleteOutcome } from "../contract.ts";
import { s3KeyFault } from "./address.ts";
import type { S3Connection } from "./connection.ts";
import type { S3Control } from "./control.ts";
import { orMissing } from "./object-info.ts";
import { refusalError, refusalOfCode } from "./refusal.ts";

type Outcomes = Map<string, SyncError | undefined>;

/**
 * Deletes `keys` a thousand at a time; those that XML may change on their way one by one, and all of them where the
 * store has no DeleteObjects (Google's).
 * @throws SyncError when the first request of all failed as a whole
 */
export async function deleteObjects(
  connection: S3Connection,
  control: S3Control,
  keys: readonly string[],
  options: CallOptions,
): Promise<readonly DeleteOutcome[]> {
  const outcomes: Outcomes = new Map();
  const together: string[] = [];
  const alone: string[] = [];
  for (const key of new Set(keys)) {
    const fault = s3KeyFault(key);
    if (fault !== undefined) outcomes.set(key, new SyncError("key_invalid", `the key ${fault}`));
    else (isSafeInXml(key) ? together : alone).push(key);
  }
  const batchMax = connection.limits.deleteBatchMax;
  for (let at = 0; at < together.length; at += batchMax) {
    await deleteBatch(connection, control, together.slice(at, at + batchMax), options, outcomes);
  }
  await deleteAlone(connection, alone, options, outcomes);
  return keys.map((key) => {
    const error = outcomes.get(key);
    return error === undefined ? { key } : { key, error };
  });
}

/** Whether every XML writer and reader gives `key` back as it is: no control characters, no blanks at the ends. */
function isSafeInXml(key: string): boolean {
  return !/[\p{Cc}\u2028\u2029\ufffe\uffff]|^\s|\s$/u.test(key);
}

async function deleteBatch(
  connection: S3Connection,
  control: S3Control,
  keys: readonly string[],
  options: CallOptions,
  outcomes: Outcomes,
): Promise<void> {
  const Delete = { Objects: keys.map((Key) => ({ Key })) };
  try {
    const answer = await control.send(
      new DeleteObjectsCommand({ Bucket: connection.settings.bucket, Delete }),
      options.signal,
    );
    readOutcomes(answer, keys, outcomes);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    if (error.code === "provider_unsupported") await deleteAlone(connection, keys, options, outcomes);
    // Nothing has been tried yet: the caller may repeat the whole call.
    else if (outcomes.size === 0 || error.code === "aborted") throw error;
    else for (const key of keys) outcomes.set(key, error);
  }
}

function readOutcomes(answer: DeleteObjectsCommandOutput, keys: readonly string[], outcomes: Outcomes): void {
  const deleted = new Set(answer.Deleted?.map(({ Key }) => Key));
  const codes = new Map(answer.Errors?.map(({ Key, Code }) => [Key, Code]));
  for (const key of keys) {
    if (codes.has(key)) outcomes.set(key, outcomeOfCode(codes.get(key)));
    else if (deleted.has(key)) outcomes.set(key, undefined);
    else
      outcomes.set(
        key,
        new SyncError("provider_error", "the store does not say whether it deleted the object", { retryable: true }),
      );
  }
}

function outcomeOfCode(code: string | undefined): SyncError | undefined {
  return code === "NoSuchKey" ? undefined : refusalError(refusalOfCode(code));
}

async function deleteAlone(
  connection: S3Connection,
  keys: readonly string[],
  options: CallOptions,
  outcomes: Outcomes,
): Promise<void> {
  const queue = [...keys];
  const worker = async (): Promise<void> => {
    for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
      outcomes.set(key, await deleteOne(connection, key, options));
    }
  };
  await Promise.all(Array.from({ length: Math.min(connection.limits.deletesAtOnce, keys.length) }, worker));
  throwIfAborted(options.signal);
}

async function deleteOne(connection: S3Connection, key: string, options: CallOptions): Promise<SyncError | undefined> {
  try {
    await orMissing(connection, connection.send({ method: "DELETE", key, signal: options.signal }), options.signal);
    return undefined;
  } catch (error) {
    if (error instanceof SyncError) return error;
    throw error;
  }
}
