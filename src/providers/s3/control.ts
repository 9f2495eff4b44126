import { S3Client, type S3ClientConfig, type ServiceInputTypes, type ServiceOutputTypes } from "@aws-sdk/client-s3";
import { md5 } from "@noble/hashes/legacy.js";
import { SyncError } from "../../core/errors.ts";
import type { S3Connection, S3Request } from "./connection.ts";
import { base64, sha256Hex } from "./content.ts";
import { refusalError, refusalOfCode } from "./refusal.ts";

/** A thousand keys of a thousand bytes, percent-encoded, with all that a listing says about each. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

type Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = Parameters<
  typeof S3Client.prototype.send<Input, Output>
>[0];

/**
 * The operations whose XML the AWS SDK writes and reads: listing, copies, deletes in batches, the control of multipart
 * uploads. Signing, sending and what refusals mean are the connection's: the SDK has no credentials to lose, retries
 * nothing, and everything it would look up in the environment or in ~/.aws is given.
 */
export class S3Control {
  readonly #client: S3Client;

  constructor(connection: S3Connection) {
    this.#client = new S3Client(configFor(connection));
  }

  /** @throws SyncError as `S3Connection.send`; `provider_error` for an answer that is not S3's */
  async send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: Command<Input, Output>,
    signal?: AbortSignal,
  ): Promise<Output> {
    try {
      return await this.#client.send(command, signal === undefined ? {} : { abortSignal: signal });
    } catch (error) {
      if (error instanceof Carrier) throw error.syncError;
      if (signal?.aborted === true) throw new SyncError("aborted", "the operation was cancelled");
      // The SDK keeps the answer on its error: nothing of it may go on.
      throw new SyncError("provider_error", "the store's answer is not one of S3; check endpoint_url", {
        retryable: true,
      });
    }
  }

  close(): void {
    this.#client.destroy();
  }
}

/** Takes a SyncError through the SDK, which writes its own notes on the errors that pass it. */
class Carrier extends Error {
  constructor(readonly syncError: SyncError) {
    super(syncError.message);
  }
}

function configFor(connection: S3Connection): S3ClientConfig {
  const { settings } = connection;
  return {
    region: settings.region,
    endpoint: settings.endpoint.href,
    forcePathStyle: settings.pathStyle,
    credentials: { accessKeyId: "unused", secretAccessKey: "unused" },
    signer: { sign: async (request) => request },
    requestHandler: handlerFor(connection),
    maxAttempts: 1,
    retryMode: "standard",
    defaultsMode: "standard",
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    useArnRegion: false,
    disableS3ExpressSessionAuth: true,
    sigv4aSigningRegionSet: [settings.region],
    authSchemePreference: ["aws.auth#sigv4"],
    userAgentAppId: async () => undefined,
    defaultUserAgentProvider: async () => [["comfyvn-cloud-sync"]],
  };
}

/** The part of the SDK's request that is used. */
interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

function handlerFor(connection: S3Connection) {
  return {
    handle: async (request: SdkRequest, options: { readonly abortSignal?: unknown } = {}) => {
      try {
        return { response: await sendFor(request, connection, options.abortSignal as AbortSignal | undefined) };
      } catch (error) {
        throw error instanceof SyncError ? new Carrier(error) : error;
      }
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
    destroy: () => undefined,
  };
}

async function sendFor(request: SdkRequest, connection: S3Connection, signal: AbortSignal | undefined) {
  const { protocol, hostname, port, path, method } = request;
  const origin = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
  if (origin !== connection.address.origin)
    throw new SyncError("internal", "a request was addressed to another host than the endpoint's");
  const headers = keptHeaders(request.headers);
  const query = plainQuery(request.query);
  const body = typeof request.body === "string" ? new TextEncoder().encode(request.body) : undefined;
  if (body !== undefined && "delete" in query) headers["content-md5"] = base64(md5(body));
  const works = "x-amz-copy-source" in headers || (method === "POST" && "uploadId" in query);
  const answer = await connection.send({
    method: method as S3Request["method"],
    path,
    query,
    headers,
    ...(body === undefined ? {} : { body, bodySha256: sha256Hex(body, connection.context.newHasher) }),
    answerMs: works ? connection.limits.workMs : connection.limits.idleMs,
    signal,
  });
  const bytes = await answer.readBytes(ANSWER_BYTES_MAX);
  throwErrorInside(bytes);
  return { statusCode: answer.status, headers: Object.fromEntries(answer.headers), body: bytes };
}

/**
 * The headers that carry meaning. The SDK's own marks are dropped, and so is the CRC32 of DeleteObjects: Content-MD5
 * is what every store takes there.
 */
function keptHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (lower === "content-type" || (lower.startsWith("x-amz-") && !DROPPED_HEADERS.has(lower))) kept[lower] = value;
  }
  return kept;
}

const DROPPED_HEADERS: ReadonlySet<string> = new Set([
  "x-amz-user-agent",
  "x-amz-sdk-checksum-algorithm",
  "x-amz-checksum-crc32",
]);

function plainQuery(query: SdkRequest["query"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query ?? {}).map(([name, value]) => [name, value === null ? "" : String(value)]),
  );
}

/** CopyObject and CompleteMultipartUpload answer 200 before they know how it ends. */
function throwErrorInside(body: Uint8Array): void {
  const text = new TextDecoder().decode(body.subarray(0, 4096));
  if (!/^\s*(<\?xml[^>]*\?>\s*)?<Error[\s>]/.test(text)) return;
  throw refusalError(refusalOfCode(/<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1]));
}
