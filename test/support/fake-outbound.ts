import type { Outbound, PinnedPost, PostOutcome } from "../../src/platform/contract.ts";

export interface SentPost {
  readonly url: string;
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A network of names and receivers that a test writes down. */
export class FakeOutbound implements Outbound {
  readonly sent: SentPost[] = [];
  readonly lookups: string[] = [];
  /** Default: one public address for every name. */
  resolve: (host: string) => readonly string[] = () => ["93.184.215.14"];
  /** Default: 200. */
  answer: (post: SentPost, signal: AbortSignal | undefined) => PostOutcome | Promise<PostOutcome> = () => {
    return { status: 200, retryAfter: undefined };
  };

  async addressesOf(host: string): Promise<readonly string[]> {
    this.lookups.push(host);
    return this.resolve(host);
  }

  async post({ url, address, headers, body, signal }: PinnedPost): Promise<PostOutcome> {
    const post = { url: url.href, address, headers, body: new TextDecoder().decode(body) };
    this.sent.push(post);
    return await this.answer(post, signal);
  }
}
