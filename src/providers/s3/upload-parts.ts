import type { Hasher } from "../../core/hash.ts";
import type { ByteSource, ObjectInfo, OpenSource, PutOptions } from "../contract.ts";
import type { S3Connection } from "./connection.ts";
import { checkContent, checksumHeader, readExactly, sha256Hex } from "./content.ts";
import { Lane } from "./lane.ts";
import type { MultipartUpload, MultipartUploads, StoredPart } from "./multipart.ts";
import { requiredVersion } from "./object-info.ts";
import { type PlannedPart, partBytesFor, planParts } from "./part-plan.ts";

const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Puts an object in parts. Each part is read once, signed with its own SHA-256 and sent while the next one is read;
 * the object's SHA-256 runs over the parts in order, and the upload is completed only when it is the expected one.
 * @throws SyncError `content_mismatch`, `file_changed`; as `S3Connection.send`. The upload is aborted then
 */
export async function putInParts(
  connection: S3Connection,
  uploads: MultipartUploads,
  key: string,
  source: ByteSource,
  options: PutOptions,
): Promise<ObjectInfo> {
  const { sha256, contentType, signal } = options;
  const upload = await uploads.begin(key, { contentType, sha256 }, connection.settings.isAws, signal);
  try {
    const parts = await new PartSender(connection, upload, options).sendAll(source);
    return await uploads.complete(upload, parts, { size: source.size, sha256 }, signal);
  } catch (error) {
    await uploads.abort(upload);
    throw error;
  }
}

/** Sends the parts of one upload. */
class PartSender {
  readonly #connection: S3Connection;
  readonly #upload: MultipartUpload;
  readonly #options: PutOptions;
  readonly #lane: Lane<StoredPart>;
  readonly #whole: Hasher;

  constructor(connection: S3Connection, upload: MultipartUpload, options: PutOptions) {
    this.#connection = connection;
    this.#upload = upload;
    this.#options = options;
    this.#lane = new Lane(connection.limits.partsAtOnce, options.signal);
    this.#whole = connection.context.newHasher();
  }

  /** @throws SyncError `content_mismatch` when all parts together are not what was promised */
  async sendAll(source: ByteSource): Promise<StoredPart[]> {
    const partBytes = partBytesFor(source.size, this.#connection.limits);
    const open = await source.open();
    try {
      for (const part of planParts(source.size, partBytes)) {
        await this.#lane.add(await this.#ready(open, part));
      }
    } catch (error) {
      throw await this.#lane.fail(error);
    } finally {
      await open.close();
    }
    const parts = await this.#lane.results();
    checkContent(this.#whole.digestHex(), this.#options.sha256);
    return parts;
  }

  /** Reads and hashes `part`, in its turn; what is returned sends it at any time. */
  async #ready(open: OpenSource, part: PlannedPart): Promise<() => Promise<StoredPart>> {
    const { budget, buffers } = this.#connection;
    const release = await budget.claim(part.size, this.#lane.signal);
    try {
      const body = await readExactly(open, part.offset, part.size, buffers);
      this.#whole.update(body);
      return async () => {
        try {
          const stored = await this.#send(part.number, body);
          // Bytes that the source handed out are still the source's.
          if (open.readInto !== undefined) buffers.giveBack(body);
          return stored;
        } finally {
          release();
        }
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #send(number: number, body: Uint8Array): Promise<StoredPart> {
    const { settings, context } = this.#connection;
    const sha256 = sha256Hex(body, context.newHasher);
    const checksumSha256 = settings.isAws ? checksumHeader(sha256) : undefined;
    const answer = await this.#connection.send({
      method: "PUT",
      key: this.#upload.key,
      query: { partNumber: String(number), uploadId: this.#upload.uploadId },
      headers: checksumSha256 === undefined ? {} : { "x-amz-checksum-sha256": checksumSha256 },
      body,
      bodySha256: sha256,
      signal: this.#lane.signal,
    });
    await answer.readBytes(ANSWER_BYTES_MAX);
    this.#options.onBytes?.(body.length);
    const etag = requiredVersion(answer.headers);
    return { number, size: body.length, etag, ...(checksumSha256 === undefined ? {} : { checksumSha256 }) };
  }
}
