import { S3Client, type ServiceInputTypes, type ServiceOutputTypes } from "@aws-sdk/client-s3";
import { md5 } from "@noble/hashes/legacy.js";
import { SyncError } from "../../core/errors.ts";
import type { S3Connection, S3Request } from "./connection.ts";
import { sha256Hex } from "../../core/hash.ts";
import { base64 } from "../transfer/content.ts";
import { refusalError, refusalOfCode } from "./refusal.ts";
import { readXml, rootOf, type XmlElement } from "./xml.ts";

/** A thousand keys of a thousand bytes, percent-encoded, with all that a listing says about each. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

type Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = Parameters<
  typeof S3Client.prototype.send<Input, Output>
>[0];

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

/**
 * The operations that speak XML: listing, copies, deletes in batches, the control of multipart uploads. The AWS SDK
 * makes their requests; signing, sending and reading are ours. So the SDK has no credentials to lose, retries nothing
 * and looks nothing up; and its reader of XML, which needs a DOM in bundles for workers and takes 80 ms for a page of
 * 1,000 keys where 2 do, is not used.
 */
export class S3Control {
  readonly #connection: S3Connection;
  readonly #client: S3Client;

  constructor(connection: S3Connection) {
    this.#connection = connection;
    this.#client = newRequestMaker(connection);
  }

  /**
   * The answer to `command`, whose document has the given root.
   * @throws SyncError as `S3Connection.send`; `provider_error` for an answer that is not S3's
   */
  async send<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    command: Command<I, O>,
    root: string,
    signal: AbortSignal | undefined,
  ): Promise<XmlElement> {
    const text = await this.#sendText(command, signal);
    // CopyObject and CompleteMultipartUpload answer 200 before they know how it ends.
    if (rootOf(text) === "Error") throw refusalError(refusalOfCode(readXml(text, "Error").text("Code")));
    return readXml(text, root);
  }

  /** The same for an operation that has nothing to tell. */
  async sendOnly<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    command: Command<I, O>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.#sendText(command, signal);
  }

  close(): void {
    this.#client.destroy();
  }

  async #sendText<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    command: Command<I, O>,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const request = await this.#requestFor(command);
    const { method, path } = request;
    const headers = keptHeaders(request.headers);
    const query = plainQuery(request.query);
    const body = typeof request.body === "string" ? new TextEncoder().encode(request.body) : undefined;
    if (body !== undefined && "delete" in query) headers["content-md5"] = base64(md5(body));
    const works = "x-amz-copy-source" in headers || (method === "POST" && "uploadId" in query);
    const { limits, context } = this.#connection;
    const answer = await this.#connection.send({
      method: method as S3Request["method"],
      path,
      query,
      headers,
      ...(body === undefined ? {} : { body, bodySha256: sha256Hex(context.newHasher, body) }),
      answerMs: works ? limits.workMs : limits.idleMs,
      signal,
    });
    return new TextDecoder().decode(await answer.readBytes(ANSWER_BYTES_MAX));
  }

  async #requestFor<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    command: Command<I, O>,
  ): Promise<SdkRequest> {
    try {
      const output: object = await this.#client.send(command);
      return this.#checkedAddress((output as Built).request);
    } catch (error) {
      if (error instanceof SyncError) throw error;
      throw new SyncError("internal", "the AWS SDK could not make a request", { cause: error });
    }
  }

  #checkedAddress(request: SdkRequest): SdkRequest {
    const { protocol, hostname, port } = request;
    const origin = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
    if (origin === this.#connection.address.origin) return request;
    throw new SyncError("internal", "the AWS SDK addressed a request to another host than the endpoint's");
  }
}

interface Built {
  readonly request: SdkRequest;
}

/** A client that makes requests and gives them back in place of an answer. */
function newRequestMaker({ settings }: S3Connection): S3Client {
  const client = new S3Client({
    region: settings.region,
    endpoint: settings.endpoint.href,
    forcePathStyle: settings.pathStyle,
    // What is not given would be looked up in the environment and in ~/.aws.
    credentials: { accessKeyId: "unused", secretAccessKey: "unused" },
    signer: { sign: async (request) => request },
    maxAttempts: 1,
    retryMode: "standard",
    defaultsMode: "standard",
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    useArnRegion: false,
    disableS3ExpressSessionAuth: true,
    disableClockSkewCorrection: true,
    sigv4aSigningRegionSet: [settings.region],
    authSchemePreference: ["aws.auth#sigv4"],
    userAgentAppId: async () => undefined,
    defaultUserAgentProvider: async () => [["comfyvn-cloud-sync"]],
  });
  client.middlewareStack.add(
    () =>
      async ({ request }) => {
        const output = { $metadata: {}, request };
        return { response: undefined, output };
      },
    { name: "giveBackRequest", step: "finalizeRequest", priority: "low" },
  );
  return client;
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
