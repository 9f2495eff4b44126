import type { S3Request } from "./s3-request.ts";

/** One time that file content went to the store. */
export interface Sending {
  readonly key: string;
  /** 0 for an object sent whole. */
  readonly partNumber: number;
  readonly contentSha256: string;
  /** Of the body, that reached the store. */
  bytes: number;
  /** The client has been told that it arrived. */
  acknowledged: boolean;
}

/** How much content was sent, and how much of that the store had been sent before. */
export interface SentSummary {
  readonly bytes: number;
  readonly bytesAgain: number;
  /** Objects sent whole, and parts, that were sent again although the client knew that they had arrived. */
  readonly acknowledgedObjectsAgain: number;
  readonly acknowledgedPartsAgain: number;
}

/** The content that went through a proxy, known by its key, part and hash. */
export class SentContent {
  readonly #sendings: Sending[] = [];

  /** Starts to count a request; undefined when it carries no content of a file. */
  begin(request: S3Request): Sending | undefined {
    if (request.class !== "small_put" && request.class !== "part_put") return undefined;
    const { key, partNumber = 0, contentSha256 = "" } = request;
    const sending = { key, partNumber, contentSha256, bytes: 0, acknowledged: false };
    this.#sendings.push(sending);
    return sending;
  }

  clear(): void {
    this.#sendings.length = 0;
  }

  summary(): SentSummary {
    const seen = new Map<string, { bytes: number; acknowledged: boolean }>();
    const summary = { bytes: 0, bytesAgain: 0, acknowledgedObjectsAgain: 0, acknowledgedPartsAgain: 0 };
    for (const { key, partNumber, contentSha256, bytes, acknowledged } of this.#sendings) {
      const id = `${partNumber} ${contentSha256} ${key}`;
      const before = seen.get(id);
      summary.bytes += bytes;
      if (before !== undefined) {
        summary.bytesAgain += Math.min(bytes, before.bytes);
        if (before.acknowledged && partNumber === 0) summary.acknowledgedObjectsAgain++;
        if (before.acknowledged && partNumber > 0) summary.acknowledgedPartsAgain++;
      }
      seen.set(id, {
        bytes: Math.max(bytes, before?.bytes ?? 0),
        acknowledged: acknowledged || before?.acknowledged === true,
      });
    }
    return summary;
  }
}
