import { DeleteObjectsCommand } from "@aws-sdk/client-s3";
import { SyncError, throwIfAborted } from "../../core/errors.ts";
import type { CallOptions, DeleteOutcome } from "../contract.ts";
import { atMost } from "../../core/at-most.ts";
import { s3KeyFault } from "./address.ts";
import type { S3Connection } from "./connection.ts";
import type { S3Control } from "./control.ts";
import { orMissing } from "./object-info.ts";
import { refusalError, refusalOfCode } from "./refusal.ts";
import type { XmlElement } from "./xml.ts";

/**
 * Deletes `keys` a thousand at a time; those that XML may change on their way one by one, and all of them where the
 * store has no DeleteObjects (Google's).
 * @throws SyncError when the first request of all failed as a whole; `aborted`
 */
export async function deleteObjects(
  connection: S3Connection,
  control: S3Control,
  keys: readonly string[],
  options: CallOptions,
): Promise<readonly DeleteOutcome[]> {
  const outcomes = await new Deletion(connection, control, options.signal).run(new Set(keys));
  return keys.map((key) => {
    const error = outcomes.get(key);
    return error === undefined ? { key } : { key, error };
  });
}

class Deletion {
  readonly #connection: S3Connection;
  readonly #control: S3Control;
  readonly #signal: AbortSignal | undefined;
  readonly #outcomes = new Map<string, SyncError | undefined>();

  constructor(connection: S3Connection, control: S3Control, signal: AbortSignal | undefined) {
    this.#connection = connection;
    this.#control = control;
    this.#signal = signal;
  }

  /** The error of each key, undefined for done. */
  async run(keys: ReadonlySet<string>): Promise<ReadonlyMap<string, SyncError | undefined>> {
    const together: string[] = [];
    const alone: string[] = [];
    for (const key of keys) {
      const fault = s3KeyFault(key);
      if (fault !== undefined) this.#outcomes.set(key, new SyncError("key_invalid", `the key ${fault}`));
      else (isSafeInXml(key) ? together : alone).push(key);
    }
    const { deleteBatchMax, deleteBatchesAtOnce } = this.#connection.limits;
    const [first, ...others] = batchesOf(together, deleteBatchMax);
    // The first by itself: when it fails nothing has been tried, and the caller may repeat the whole call.
    if (first !== undefined) await this.#deleteBatch(first);
    await atMost(
      () => deleteBatchesAtOnce,
      others,
      (batch) => this.#deleteBatch(batch),
    );
    await this.#deleteAlone(alone);
    return this.#outcomes;
  }

  async #deleteBatch(keys: readonly string[]): Promise<void> {
    const { bucket } = this.#connection.settings;
    const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } });
    try {
      this.#read(await this.#control.send(command, "DeleteResult", this.#signal), keys);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      if (error.code === "provider_unsupported") await this.#deleteAlone(keys);
      else if (this.#outcomes.size === 0 || error.code === "aborted") throw error;
      else for (const key of keys) this.#outcomes.set(key, error);
    }
  }

  #read(answer: XmlElement, keys: readonly string[]): void {
    const deleted = new Set(answer.all("Deleted").map((entry) => entry.text("Key")));
    const errors = new Map(answer.all("Error").map((entry) => [entry.text("Key"), entry.text("Code")]));
    const silence = new SyncError("provider_error", "the store does not say whether it deleted the object", {
      retryable: true,
    });
    for (const key of keys) {
      if (errors.has(key)) this.#outcomes.set(key, outcomeOfCode(errors.get(key)));
      else this.#outcomes.set(key, deleted.has(key) ? undefined : silence);
    }
  }

  async #deleteAlone(keys: readonly string[]): Promise<void> {
    await atMost(
      () => this.#connection.limits.deletesAtOnce,
      keys,
      async (key) => {
        this.#outcomes.set(key, await this.#deleteOne(key));
      },
    );
    throwIfAborted(this.#signal);
  }

  async #deleteOne(key: string): Promise<SyncError | undefined> {
    const sent = this.#connection.send({ method: "DELETE", key, signal: this.#signal });
    try {
      await orMissing(this.#connection, sent, this.#signal);
      return undefined;
    } catch (error) {
      if (error instanceof SyncError) return error;
      throw error;
    }
  }
}

/** Whether every XML writer and reader gives `key` back as it is: no control characters, no blanks at the ends. */
function isSafeInXml(key: string): boolean {
  return !/[\p{Cc}\u2028\u2029\ufffe\uffff]|^\s|\s$/u.test(key);
}

function outcomeOfCode(code: string | undefined): SyncError | undefined {
  return code === "NoSuchKey" ? undefined : refusalError(refusalOfCode(code));
}

function batchesOf(keys: readonly string[], batchMax: number): string[][] {
  const count = Math.ceil(keys.length / batchMax);
  return Array.from({ length: count }, (_, n) => keys.slice(n * batchMax, (n + 1) * batchMax));
}
