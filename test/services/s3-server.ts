import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { deleteObjects, listObjects, listUploads } from "./s3/bucket-operations.ts";
import {
  abortUpload,
  completeUpload,
  createUpload,
  listParts,
  uploadPart,
  uploadPartCopy,
} from "./s3/multipart-operations.ts";
import { copyObject, getObject, putObject } from "./s3/object-operations.ts";
import { type S3Fault, S3Faults } from "./s3/s3-faults.ts";
import type { S3Quirks } from "./s3/s3-quirks.ts";
import { checkSignature, type S3Account } from "./s3/s3-signature.ts";
import { Bucket } from "./s3/s3-store.ts";
import { failureReply, S3Failure, type S3Received, type S3Reply } from "./s3/s3-wire.ts";

/** What a request asked for, for tests that count. */
export type SeenRequest = Pick<S3Received, "operation" | "key" | "headers"> & { readonly bytes: number };

export interface S3ServerOptions {
  readonly quirks?: S3Quirks;
  /** Default us-east-1. */
  readonly region?: string;
}

/**
 * A strict S3 server inside the test process: path style on a loopback port, objects in memory. It checks signatures
 * and content hashes, conditions and checksums as AWS does, and it can be told to fail.
 */
export class S3Server implements S3Account {
  readonly accessKeyId = "AKIATESTTESTTESTTEST";
  readonly secretAccessKey = "test/secret+of=the-in-process-server";
  readonly region: string;
  readonly faults = new S3Faults();
  /** Every request that arrived, oldest first. */
  readonly seen: SeenRequest[] = [];
  /** Keys that may not be deleted. */
  readonly undeletable = new Set<string>();
  /** Added to the server's clock, milliseconds. */
  clockOffsetMs = 0;
  readonly #quirks: S3Quirks;
  readonly #buckets = new Map<string, Bucket>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  constructor(options: S3ServerOptions) {
    this.#quirks = options.quirks ?? {};
    this.region = options.region ?? "us-east-1";
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  createBucket(name: string): Bucket {
    const bucket = new Bucket();
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** Settings of a provider for `bucket`. */
  settingsFor(bucket: string): Record<string, unknown> {
    const { accessKeyId, secretAccessKey } = this;
    return {
      bucket,
      endpoint_url: this.endpoint,
      region: this.region,
      aws_access_key_id: accessKeyId,
      aws_secret_access_key: secretAccessKey,
    };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const request = await receive(incoming);
      this.seen.push({
        operation: request.operation,
        key: request.key,
        headers: request.headers,
        bytes: request.body.length,
      });
      const fault = this.faults.take(request);
      if (fault?.kind === "hang") return;
      const damaged = fault?.kind === "damage" ? { ...request, body: flipped(request.body) } : request;
      if (fault?.kind === "before") fault.run();
      const replaced = fault?.kind === "answer" || fault?.kind === "reset";
      const applies = !replaced || fault.applied === true;
      const reply = applies ? this.#answer(damaged) : { status: 500 };
      if (fault?.kind === "after") fault.run();
      this.#send(request, response, reply, fault);
    } catch {
      // The client went away while it sent.
      incoming.destroy();
    }
  }

  #answer(request: S3Received): S3Reply {
    try {
      checkSignature(request, this, this.#now());
      return this.#operate(request);
    } catch (error) {
      if (error instanceof S3Failure) return failureReply(error);
      throw error;
    }
  }

  #now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  #operate(request: S3Received): S3Reply {
    const bucketNamed = (name: string): Bucket => {
      const found = this.#buckets.get(name);
      if (found === undefined) throw new S3Failure(404, "NoSuchBucket");
      return found;
    };
    const bucket = bucketNamed(request.bucket);
    const quirks = this.#quirks;
    switch (request.operation) {
      case "HeadBucket":
        return { status: 200 };
      case "ListObjectsV2":
        return listObjects(request, bucket, quirks);
      case "ListMultipartUploads":
        return listUploads(request, bucket, quirks);
      case "DeleteObjects":
        if (quirks.noDeleteObjects === true) throw new S3Failure(501, "NotImplemented");
        return deleteObjects(request, bucket, this.undeletable);
      case "PutObject":
        return putObject(request, bucket, quirks);
      case "CopyObject":
        return copyObject(request, bucket, bucketNamed, quirks);
      case "GetObject":
      case "HeadObject":
        return getObject(request, bucket);
      case "DeleteObject":
        if (this.undeletable.has(request.key)) throw new S3Failure(403, "AccessDenied");
        bucket.delete(request.key);
        return { status: 204 };
      case "CreateMultipartUpload":
        return createUpload(request, bucket);
      case "UploadPart":
        return uploadPart(request, bucket);
      case "UploadPartCopy":
        return uploadPartCopy(request, bucket, bucketNamed, quirks);
      case "CompleteMultipartUpload":
        return completeUpload(request, bucket, quirks);
      case "AbortMultipartUpload":
        return abortUpload(request, bucket);
      case "ListParts":
        return listParts(request, bucket, quirks);
      default:
        throw new S3Failure(501, "NotImplemented");
    }
  }

  #send(request: S3Received, response: ServerResponse, ordinary: S3Reply, fault: S3Fault | undefined): void {
    if (fault?.kind === "reset") {
      response.socket?.destroy();
      return;
    }
    const reply = fault?.kind === "answer" ? fault.reply : ordinary;
    const body = Buffer.from(reply.body ?? "");
    const hidesLength = reply.status === 200 && this.#quirks.hidesLengthOf?.includes(request.operation) === true;
    const { "content-length": length = String(body.length), ...headers } = reply.headers ?? {};
    response.writeHead(reply.status, {
      date: new Date(this.#now()).toUTCString(),
      ...(hidesLength ? {} : { "content-length": length }),
      ...headers,
    });
    if (fault?.kind === "half") {
      response.write(body.subarray(0, Math.floor(body.length / 2)), () => {
        if (fault.reset) response.socket?.destroy();
      });
      return;
    }
    if (request.method === "HEAD" || reply.status === 204) response.end();
    else response.end(body);
  }
}

/** Starts a server and keeps requests to it out of any proxy of the machine. */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  process.env["NO_PROXY"] = "127.0.0.1,localhost";
  const server = new S3Server(options);
  await server.listen();
  return server;
}

async function receive(incoming: IncomingMessage): Promise<S3Received> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  const [rawPath = "/", search = ""] = (incoming.url ?? "/").split("?");
  const [, bucket = "", key = ""] = /^\/([^/]*)\/?(.*)$/s.exec(rawPath) ?? [];
  const query = new URLSearchParams(search);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) headers[name] = String(value);
  const method = incoming.method ?? "GET";
  const named = { method, rawPath, bucket: decodeURIComponent(bucket), key: decodeURIComponent(key), query, headers };
  return { ...named, body: Buffer.concat(chunks), operation: operationOf(named) };
}

/** S3 names its operations by method, place, query and headers. */
function operationOf({ method, key, query, headers }: Omit<S3Received, "body" | "operation">): string {
  const copies = headers["x-amz-copy-source"] !== undefined;
  if (key === "") {
    if (method === "HEAD") return "HeadBucket";
    if (method === "POST" && query.has("delete")) return "DeleteObjects";
    if (method === "GET" && query.has("uploads")) return "ListMultipartUploads";
    return method === "GET" && query.get("list-type") === "2" ? "ListObjectsV2" : "?";
  }
  if (query.has("uploadId")) {
    const ofUpload = {
      PUT: copies ? "UploadPartCopy" : "UploadPart",
      POST: "CompleteMultipartUpload",
      DELETE: "AbortMultipartUpload",
      GET: "ListParts",
    };
    return ofUpload[method as keyof typeof ofUpload] ?? "?";
  }
  if (method === "POST") return query.has("uploads") ? "CreateMultipartUpload" : "?";
  const ofObject = {
    PUT: copies ? "CopyObject" : "PutObject",
    GET: "GetObject",
    HEAD: "HeadObject",
    DELETE: "DeleteObject",
  };
  return ofObject[method as keyof typeof ofObject] ?? "?";
}

/** `bytes` with one bit changed. */
function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
  return copy;
}
