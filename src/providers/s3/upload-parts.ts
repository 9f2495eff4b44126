import { md5 } from "@noble/hashes/legacy.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Hasher } from "../../core/hash.ts";
import type { ByteSource, ObjectInfo, OpenSource, PutOptions } from "../contract.ts";
import { ByteBudget } from "../transfer/byte-budget.ts";
import type { S3Connection } from "./connection.ts";
import { sha256Hex } from "../../core/hash.ts";
import { checkContent, checksumHeader, readExactly } from "../transfer/content.ts";
import { Lane } from "../transfer/lane.ts";
import type { MultipartUploads } from "./multipart.ts";
import type { MultipartUpload, StoredPart } from "./multipart-upload.ts";
import { requiredVersion, traitHeaders } from "./object-info.ts";
import { partBytesFor, planParts } from "./part-plan.ts";
import { partRecord, type UploadPlan } from "./upload-record.ts";
import { type ArrivedPart, giveUp, mayGoOnAfter, openUpload } from "./upload-resume.ts";

const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Puts an object in parts. Each part is read once, signed with its own SHA-256 and sent while the next one is read;
 * the object's SHA-256 runs over the parts in order, and the upload is completed only when it is the expected one.
 * With `resume`, parts that an earlier attempt has sent are not sent again where they are the very bytes read now.
 * @throws SyncError `content_mismatch`, `file_changed`; as `S3Connection.send`. The upload is removed then, unless its
 * records lead a repeat to it that may help
 */
export async function putInParts(
  connection: S3Connection,
  uploads: MultipartUploads,
  key: string,
  source: ByteSource,
  options: PutOptions,
): Promise<ObjectInfo> {
  const { sha256, contentType, resume, signal } = options;
  const { size } = source;
  const traits = traitHeaders(connection.settings, { contentType, sha256 });
  const plan: UploadPlan = { key, size, sha256, partBytes: partBytesFor(size, connection.limits), traits };
  const opened = await openUpload(connection, uploads, plan, options);
  if ("finished" in opened) {
    options.onBytes?.(size);
    await resume?.clear();
    return opened.finished;
  }
  const { upload, arrived } = opened;
  try {
    const parts = await new PartSender(connection, upload, arrived, options).sendAll(source, plan.partBytes);
    const info = await uploads.complete(upload, parts, { size, sha256 }, signal);
    await resume?.clear();
    return info;
  } catch (error) {
    if (resume === undefined || !mayGoOnAfter(error)) await giveUp(uploads, upload, resume);
    throw error;
  }
}

/** Sends the parts of one upload that have not arrived. */
class PartSender {
  readonly #connection: S3Connection;
  readonly #upload: MultipartUpload;
  readonly #arrived: ReadonlyMap<number, ArrivedPart>;
  readonly #options: PutOptions;
  readonly #lane: Lane<StoredPart>;
  readonly #turns: ByteBudget;
  readonly #whole: Hasher;

  constructor(
    connection: S3Connection,
    upload: MultipartUpload,
    arrived: ReadonlyMap<number, ArrivedPart>,
    options: PutOptions,
  ) {
    this.#connection = connection;
    this.#upload = upload;
    this.#arrived = arrived;
    this.#options = options;
    // What is under way when one part fails is worth its end where a repeat goes on from there.
    const sparesOthers = options.resume === undefined ? undefined : mayGoOnAfter;
    this.#lane = new Lane(connection.limits.partsAtOnce, options.signal, sparesOthers);
    this.#turns = new ByteBudget(connection.limits.partsSentAtOnce);
    this.#whole = connection.context.newHasher();
  }

  /** @throws SyncError `content_mismatch` when all parts together are not what was promised */
  async sendAll(source: ByteSource, partBytes: number): Promise<StoredPart[]> {
    const open = await source.open();
    try {
      for (const { number, offset, size } of planParts(source.size, partBytes)) {
        await this.#lane.add(await this.#ready(open, number, offset, size));
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

  /** Reads and hashes a part, in its turn; what is returned sends it at any time. */
  async #ready(open: OpenSource, number: number, offset: number, size: number): Promise<() => Promise<StoredPart>> {
    const { budget } = this.#connection;
    const buffers = this.#connection.buffersFor(size);
    const release = await budget.claim(size, this.#lane.signal);
    try {
      const body = await readExactly(open, offset, size, buffers);
      this.#whole.update(body);
      return async () => {
        try {
          const stored = await this.#store(number, body);
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

  async #store(number: number, body: Uint8Array): Promise<StoredPart> {
    const { settings, context } = this.#connection;
    const { resume, onBytes } = this.#options;
    const sha256 = sha256Hex(context.newHasher, body);
    const checksumSha256 = settings.isAws ? checksumHeader(sha256) : undefined;
    const arrived = this.#arrived.get(number);
    const isThere = arrived !== undefined && isOf(body, sha256, arrived);
    const etag = isThere ? arrived.listed.etag : await this.#send(number, body, sha256, checksumSha256);
    if (!isThere || arrived.recorded === undefined)
      await resume?.add(partRecord(number, { size: body.length, sha256, etag }));
    onBytes?.(body.length);
    return { number, size: body.length, etag, ...(checksumSha256 === undefined ? {} : { checksumSha256 }) };
  }

  async #send(number: number, body: Uint8Array, sha256: string, checksumSha256: string | undefined): Promise<string> {
    const endTurn = await this.#beginTurn();
    try {
      this.#lane.check();
      const answer = await this.#connection.send({
        method: "PUT",
        key: this.#upload.key,
        query: { partNumber: String(number), uploadId: this.#upload.uploadId },
        headers: checksumSha256 === undefined ? {} : { "x-amz-checksum-sha256": checksumSha256 },
        body,
        bodySha256: sha256,
        onSent: endTurn,
        signal: this.#lane.signal,
      });
      await answer.readBytes(ANSWER_BYTES_MAX);
      return requiredVersion(answer.headers);
    } finally {
      endTurn();
    }
  }

  /** Where nobody tells when a body has gone out, turns would last to the answer: then there are none. */
  async #beginTurn(): Promise<() => void> {
    if (this.#connection.context.streamsKnownLength !== true) return () => undefined;
    return await this.#turns.claim(1, this.#lane.signal);
  }
}

/**
 * True when `part` is `body`. A part that was stored without our hearing of it has no record: there the store's own
 * checksum tells, or an ETag that is an MD5, as it is unless the store encrypts with keys of its own.
 */
function isOf(body: Uint8Array, sha256: string, { listed, recorded }: ArrivedPart): boolean {
  if (listed.size !== body.length) return false;
  if (recorded !== undefined) return recorded.sha256 === sha256;
  if (listed.checksumSha256 !== undefined) return listed.checksumSha256 === checksumHeader(sha256);
  return listed.etag === bytesToHex(md5(body));
}
