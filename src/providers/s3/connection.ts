import { SyncError, throwIfAborted } from "../../core/errors.ts";
import type { ProviderContext } from "../contract.ts";
import { addressOf, pathOf, percentEncode, type S3Address } from "./address.ts";
import { ByteBudget } from "../transfer/byte-budget.ts";
import { exchange, type HttpAnswer } from "../transfer/http.ts";
import type { S3Limits } from "./limits.ts";
import { PartBuffers } from "../transfer/part-buffers.ts";
import { type Refusal, readRefusal, refusalError } from "./refusal.ts";
import type { S3Settings } from "./settings.ts";
import { EMPTY_SHA256, newSigner, type Sign } from "./sign.ts";

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** The object; without it `path` or the bucket itself. */
  readonly key?: string;
  /** Percent-encoded, instead of `key`. */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Lower-case names; all are signed. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Lower-case hex; default that of nothing. */
  readonly bodySha256?: string;
  /** Milliseconds the store may work before it answers, beside the time the body takes. Default `idleMs`. */
  readonly answerMs?: number;
  /** Called when the body has been handed on, where that can be told (`streamsKnownLength`). */
  readonly onSent?: () => void;
  readonly signal?: AbortSignal | undefined;
}

const WORDS = { check: "the network and endpoint_url", host: "endpoint_url" };
const REFUSAL_BYTES_MAX = 64 * 1024;
const SMALL_CONTENT_BYTES_MAX = 256 * 1024;
const SMALL_BUFFER_UNIT_BYTES = 64 * 1024;
/** As many small files as a run ever sends at once. */
const SMALL_BUFFERS_KEPT_MAX = 128;
/** S3 refuses requests that are a quarter of an hour off; less than this is no reason to distrust our own clock. */
const SKEW_MS_MIN = 5 * 60_000;

/** Signs and sends every request of one destination: one place for the clock, the time limits and what refusals mean. */
export class S3Connection {
  readonly settings: S3Settings;
  readonly limits: S3Limits;
  readonly context: ProviderContext;
  readonly address: S3Address;
  /** Content in memory, for all uploads together. */
  readonly budget: ByteBudget;
  readonly #buffers: PartBuffers;
  readonly #smallBuffers: PartBuffers;
  readonly #sign: Sign;
  /** The store's clock less ours, milliseconds. */
  #clockOffsetMs = 0;
  #bodyBytesInFlight = 0;

  constructor(settings: S3Settings, limits: S3Limits, context: ProviderContext) {
    this.settings = settings;
    this.limits = limits;
    this.context = context;
    this.address = addressOf(settings);
    this.budget = new ByteBudget(limits.bytesInFlightMax);
    this.#buffers = new PartBuffers(Math.ceil(limits.bytesInFlightMax / limits.partBytesMin));
    this.#smallBuffers = new PartBuffers(SMALL_BUFFERS_KEPT_MAX, SMALL_BUFFER_UNIT_BYTES);
    this.#sign = newSigner(this.address.host, settings.region, settings.credentials, context.newHasher);
  }

  /**
   * The answer to `request`, a success. A request refused for its date is sent once more with the store's own time.
   * @throws SyncError what the refusal means (refusal.ts) or what went wrong on the way (http.ts)
   */
  async send(request: S3Request): Promise<HttpAnswer> {
    throwIfAborted(request.signal);
    const first = await this.#attempt(request);
    if (first instanceof Refused) {
      if (first.skewMs === undefined) throw first.error;
      this.#clockOffsetMs = first.skewMs;
      const second = await this.#attempt(request);
      if (second instanceof Refused) throw second.error;
      return second;
    }
    return first;
  }

  /**
   * A 404 to HEAD says nothing about what is missing: asks whether the bucket is there.
   * @throws SyncError `provider_container_missing` and whatever else keeps the bucket from being seen
   */
  async checkBucket(signal?: AbortSignal): Promise<void> {
    try {
      await this.send({ method: "HEAD", signal });
    } catch (error) {
      const missing = error instanceof SyncError && error.code === "object_missing";
      throw missing ? refusalError({ status: 404, code: "NoSuchBucket" }) : error;
    }
  }

  /** Memory for a content of `bytes`: small ones keep to themselves, so that they do not hold what large ones need. */
  buffersFor(bytes: number): PartBuffers {
    return bytes <= SMALL_CONTENT_BYTES_MAX ? this.#smallBuffers : this.#buffers;
  }

  /** Frees memory; fetch has no handle on the connections it keeps. */
  close(): void {
    this.#buffers.clear();
    this.#smallBuffers.clear();
  }

  async #attempt(request: S3Request): Promise<HttpAnswer | Refused> {
    const { method, query = {}, headers = {}, bodySha256 = EMPTY_SHA256, body, signal } = request;
    const { pacer, streamsKnownLength = false } = this.context;
    const path =
      request.path ?? (request.key === undefined ? bucketPath(this.address) : pathOf(this.address, request.key));
    const at = Date.now() + this.#clockOffsetMs;
    const signed = await this.#sign({ method, path, query, headers, bodySha256 }, new Date(at));
    const search = searchOf(query);
    this.#bodyBytesInFlight += body?.length ?? 0;
    try {
      const answer = await exchange({
        method,
        url: `${this.address.origin}${path}${search}`,
        headers: { ...signed, "accept-encoding": "identity", "user-agent": "comfyvn-cloud-sync" },
        ...(body === undefined ? {} : { body }),
        flow: { pacer, inPieces: streamsKnownLength, onSent: request.onSent },
        signal,
        answerMs: (request.answerMs ?? this.limits.idleMs) + this.#uploadMs(),
        idleMs: this.limits.idleMs,
        words: WORDS,
      });
      if (answer.status >= 200 && answer.status < 300) return answer;
      return await this.#refused(answer, at);
    } finally {
      this.#bodyBytesInFlight -= body?.length ?? 0;
    }
  }

  /** fetch tells nothing of a body's progress, so an upload gets the time that all that is under way takes on a slow line. */
  #uploadMs(): number {
    const { uploadBytesPerSecondMin } = this.limits;
    // A shaper slower than the slowest line is no fault of the line.
    const slowest = Math.min(uploadBytesPerSecondMin, (this.context.pacer?.bytesPerSecond ?? Infinity) / 2);
    return (this.#bodyBytesInFlight / slowest) * 1000;
  }

  async #refused(answer: HttpAnswer, signedAt: number): Promise<Refused> {
    const body = await answer.readBytes(REFUSAL_BYTES_MAX);
    const refusal = readRefusal(answer.status, answer.headers, body, this.settings.region, Date.now());
    return new Refused(refusalError(refusal), skewOf(refusal, answer.headers.get("date"), signedAt));
  }
}

class Refused {
  constructor(
    readonly error: SyncError,
    /** What to add to our clock, when the clock is the reason. */
    readonly skewMs: number | undefined,
  ) {}
}

/** A HEAD is refused without a reason: a date far from ours is taken for it. */
function skewOf(refusal: Refusal, date: string | null, signedAt: number): number | undefined {
  const serverTime = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(serverTime)) return undefined;
  const named = refusal.code === "RequestTimeTooSkewed";
  const unnamed = refusal.status === 403 && refusal.code === undefined && Math.abs(serverTime - signedAt) > SKEW_MS_MIN;
  return named || unnamed ? serverTime - Date.now() : undefined;
}

function bucketPath(address: S3Address): string {
  return address.bucketPath === "" ? "/" : address.bucketPath;
}

function searchOf(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
