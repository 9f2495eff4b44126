import type { ErrorCode, SyncError } from "../../core/errors.ts";
import type { NewHasher } from "../../core/hash.ts";
import type { ByteSource, Capabilities, ObjectInfo, Provider, PutOptions } from "../contract.ts";

/** One hazard that a provider must survive. Cases are data: any runner may pick, order and report them. */
export interface ConformanceCase {
  /** The hazard, and what is right instead. Unique. */
  readonly name: string;
  /** Number of the promise in contract.ts that it holds the provider to. */
  readonly rule: number;
  /** Whether the case means anything for this provider. Default: it does. */
  readonly needs?: (capabilities: Capabilities, options: ConformanceOptions) => boolean;
  run(context: ConformanceContext): Promise<void>;
}

/** Opens a provider of the destination under test; called several times in one run. */
export type OpenForConformance = () => Promise<Provider>;

export interface ConformanceOptions {
  /** Everything the suite writes has keys below it; ends in "/". Default `comfyvn-conformance-<random>/`. */
  readonly prefix?: string;
  /** Sizes, bytes, at which a provider changes its way of sending (multipart). Default one small one. */
  readonly largeObjectBytes?: readonly number[];
  /** Objects of the listing case; more than a page of the store's listing. Default 1,050. */
  readonly manyKeys?: number;
  /** Default @noble/hashes. */
  readonly newHasher?: NewHasher;
  /** Strings that must appear in no error: the credentials the provider was opened with. */
  readonly secrets?: readonly string[];
  /**
   * The same settings with a container (bucket, folder) that does not exist. May itself throw
   * `provider_container_missing`.
   */
  readonly openMissingContainer?: OpenForConformance;
  /** The same destination with credentials that are refused. */
  readonly openDenied?: OpenForConformance;
  /** Makes the far side answer every request with a passing failure (HTTP 503 or its like) until `end`. */
  readonly beginOutage?: () => Promise<Outage>;
  /** Makes the far side refuse to delete `key`, and only it, until the returned function is called. */
  readonly refuseDelete?: (key: string) => Promise<() => Promise<void>>;
  /** A case that takes longer has failed. Milliseconds, default 120,000. */
  readonly caseTimeoutMs?: number;
}

export interface Outage {
  /** Requests that were answered with the failure so far. */
  requests(): number;
  end(): Promise<void>;
}

/** What a case works with. Its keys are its own: `prefix` is unique to it, and all below it is removed afterwards. */
export interface ConformanceContext {
  readonly provider: Provider;
  readonly options: ConformanceOptions;
  /** Ends in "/". */
  readonly prefix: string;
  readonly largeObjectBytes: readonly number[];
  readonly manyKeys: number;
  /** A second provider of the same destination, as another machine would have. Closed after the case. */
  openAnother(open?: OpenForConformance): Promise<Provider>;
  sha256(bytes: Uint8Array): string;
  /** Puts `bytes`, with their true SHA-256 unless `options` says otherwise. */
  put(
    key: string,
    bytes: Uint8Array,
    options?: Partial<PutOptions> & { readonly by?: Provider; readonly source?: ByteSource },
  ): Promise<ObjectInfo>;
  /** The whole object; undefined when it does not exist. */
  read(key: string, by?: Provider): Promise<Uint8Array | undefined>;
  listKeys(prefix: string, by?: Provider): Promise<string[]>;
  /**
   * Runs `action`, which must throw a SyncError of one of `codes` whose `retryable` agrees with the retry table and
   * which shows none of the secrets.
   */
  rejects(action: () => Promise<unknown>, codes: ErrorCode | readonly ErrorCode[], what: string): Promise<SyncError>;
}
