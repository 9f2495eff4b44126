/** The part of the platform's contract that is about requests to others. Imported through contract.ts. */

/** HTTP to addresses that the caller has looked at: nothing here asks a proxy of the environment or follows a redirect. */
export interface Outbound {
  /** Every address that the system knows for a host name; empty when it knows none, also for want of an answer. */
  addressesOf(host: string): Promise<readonly string[]>;
  /** POSTs to `address` itself, whatever the name of the URL leads to by now. TLS and Host are those of the URL. Never throws. */
  post(request: PinnedPost): Promise<PostOutcome>;
}

export interface PinnedPost {
  /** http or https, without user and password. */
  readonly url: URL;
  /** IPv4 or IPv6. */
  readonly address: string;
  /** Host and Content-Length are added. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** For all of it, from the connection to the end of the answer. */
  readonly timeoutMs: number;
  /** The answer's body is not wanted; after so much of it the connection is closed. */
  readonly answerBytesMax: number;
  readonly signal?: AbortSignal;
}

export type PostOutcome =
  | { readonly status: number; readonly retryAfter: string | undefined }
  /** No answer came. A failed request may have arrived all the same, unless the connection was never made (`unreachable`). */
  | { readonly failure: "unreachable" | "tls" | "timeout" | "broken" | "aborted" };
