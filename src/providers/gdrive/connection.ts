import { type SyncError, throwIfAborted } from "../../core/errors.ts";
import type { ProviderContext } from "../contract.ts";
import { ByteBudget } from "../transfer/byte-budget.ts";
import { exchange, type HttpAnswer } from "../transfer/http.ts";
import { PartBuffers } from "../transfer/part-buffers.ts";
import { AccessTokens } from "./access-tokens.ts";
import { WORDS } from "./connection-words.ts";
import type { DriveEndpoints } from "./endpoints.ts";
import type { DriveLimits } from "./limits.ts";
import { type Refusal, readRefusal, refusalError, stopsOthers } from "./refusal.ts";
import { RequestPace } from "./request-pace.ts";
import type { DriveSettings } from "./settings.ts";

export interface DriveRequest {
  readonly method: string;
  readonly url: string;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** It makes Drive hold more: not sent any more when there is no room. */
  readonly addsContent?: boolean;
  /** Statuses that are answers, beside the 2xx. */
  readonly accepts?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

const REFUSAL_BYTES_MAX = 64 * 1024;

/** Sends every request of one destination: one place for tokens, pace, time limits and what refusals mean. */
export class DriveConnection {
  readonly settings: DriveSettings;
  readonly endpoints: DriveEndpoints;
  readonly limits: DriveLimits;
  readonly context: ProviderContext;
  /** Content in memory, for all uploads together. */
  readonly budget: ByteBudget;
  readonly buffers: PartBuffers;
  readonly #tokens: AccessTokens;
  readonly #pace = new RequestPace();
  /** Why nothing more is sent, by what it would be. */
  readonly #stopped: { content?: SyncError; all?: SyncError } = {};
  #bodyBytesInFlight = 0;

  constructor(settings: DriveSettings, endpoints: DriveEndpoints, limits: DriveLimits, context: ProviderContext) {
    this.settings = settings;
    this.endpoints = endpoints;
    this.limits = limits;
    this.context = context;
    this.budget = new ByteBudget(limits.bytesInFlightMax);
    this.buffers = new PartBuffers(Math.ceil(limits.bytesInFlightMax / limits.chunkBytesMin));
    this.#tokens = new AccessTokens(settings, endpoints);
  }

  /**
   * The answer to `request`, a success. A token that is refused is replaced once.
   * @throws SyncError what the refusal means (refusal.ts), what went wrong on the way (http.ts), `aborted`
   */
  async send(request: DriveRequest): Promise<HttpAnswer> {
    const first = await this.#attempt(request);
    if (!(first instanceof Refused)) return first;
    const answer = first.refusal.status === 401 ? await this.#attempt(request) : first;
    if (answer instanceof Refused) throw this.#conclude(answer.refusal);
    return answer;
  }

  /** Frees memory; fetch has no handle on the connections it keeps. */
  close(): void {
    this.buffers.clear();
  }

  async #attempt(request: DriveRequest): Promise<HttpAnswer | Refused> {
    const { method, url, headers = {}, body, accepts = [], signal } = request;
    const { pacer, streamsKnownLength = false } = this.context;
    throwIfAborted(signal);
    const stopped = this.#stopped.all ?? (request.addsContent === true ? this.#stopped.content : undefined);
    if (stopped !== undefined) throw stopped;
    const token = await this.#tokens.get(signal);
    await this.#pace.turn(signal);
    this.#bodyBytesInFlight += body?.length ?? 0;
    try {
      const answer = await exchange({
        method,
        url,
        headers: {
          ...headers,
          authorization: `Bearer ${token}`,
          "accept-encoding": "identity",
          "user-agent": "comfyvn-cloud-sync",
        },
        ...(body === undefined ? {} : { body }),
        flow: { pacer, inPieces: streamsKnownLength },
        signal,
        answerMs: this.limits.idleMs + this.#uploadMs(),
        idleMs: this.limits.idleMs,
        words: WORDS,
      });
      if ((answer.status >= 200 && answer.status < 300) || accepts.includes(answer.status)) {
        this.#pace.answered();
        return answer;
      }
      const refused = await answer.readBytes(REFUSAL_BYTES_MAX);
      if (answer.status === 401) this.#tokens.forget(token);
      return new Refused(readRefusal(answer.status, answer.headers, refused, Date.now()));
    } finally {
      this.#bodyBytesInFlight -= body?.length ?? 0;
    }
  }

  #conclude(refusal: Refusal): SyncError {
    const error = refusalError(refusal);
    if (error.code === "provider_throttled") this.#pace.complained();
    const stops = stopsOthers(refusal);
    if (stops !== undefined) this.#stopped[stops] = error;
    return error;
  }

  /** fetch tells nothing of a body's progress, so an upload gets the time that all that is under way takes on a slow line. */
  #uploadMs(): number {
    const { uploadBytesPerSecondMin } = this.limits;
    const slowest = Math.min(uploadBytesPerSecondMin, (this.context.pacer?.bytesPerSecond ?? Infinity) / 2);
    return (this.#bodyBytesInFlight / slowest) * 1000;
  }
}

class Refused {
  constructor(readonly refusal: Refusal) {}
}
