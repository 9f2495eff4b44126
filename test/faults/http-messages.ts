import type { Socket } from "node:net";

/** The first lines of a request or an answer, and how its body is delimited. */
export interface MessageHead {
  /** Method and target of a request, or version and status of an answer, as they came. */
  readonly firstLine: string;
  /** By lower-case name; of several with one name the last. */
  readonly headers: ReadonlyMap<string, string>;
  /** As it came, with the blank line. */
  readonly bytes: Buffer;
}

/** Bytes of a body when it is not told how many. */
export type BodyLength = number | "chunked" | "until_close";

const HEAD_BYTES_MAX = 256 * 1024;
const EMPTY = Buffer.alloc(0);

/** Reads one direction of an HTTP/1.1 connection, message by message. What is not asked for stays in the socket. */
export class MessageReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = EMPTY;

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The next message's head; undefined when the connection ends before one begins. */
  async head(): Promise<MessageHead | undefined> {
    let end = this.#rest.indexOf("\r\n\r\n");
    while (end < 0) {
      if (this.#rest.length > HEAD_BYTES_MAX) throw new Error("the head of an HTTP message is too long");
      const more = await this.#more();
      if (more === undefined && this.#rest.length === 0) return undefined;
      if (more === undefined) throw new Error("the connection ended inside the head of a message");
      this.#rest = Buffer.concat([this.#rest, more]);
      end = this.#rest.indexOf("\r\n\r\n");
    }
    return parseHead(this.#take(end + 4));
  }

  /** The body as it came, chunk sizes included. @throws Error when the connection ends inside it */
  async *body(length: BodyLength): AsyncGenerator<Buffer, void> {
    if (length === "chunked") yield* this.#chunked();
    else if (length === "until_close") yield* this.#untilClose();
    else yield* this.#exactly(length);
  }

  /** The body without chunk sizes. @throws Error when the connection ends inside it */
  async *content(length: BodyLength): AsyncGenerator<Buffer, void> {
    if (length !== "chunked") {
      yield* this.body(length);
      return;
    }
    for (;;) {
      const size = chunkSize(await this.#line());
      if (size === 0) break;
      yield* this.#exactly(size);
      await this.#line();
    }
    while ((await this.#line()).length > 2);
  }

  async *#exactly(length: number): AsyncGenerator<Buffer, void> {
    for (let left = length; left > 0; ) {
      if (this.#rest.length === 0) this.#rest = await this.#moreOrThrow();
      const piece = this.#take(Math.min(left, this.#rest.length));
      left -= piece.length;
      yield piece;
    }
  }

  async *#untilClose(): AsyncGenerator<Buffer, void> {
    if (this.#rest.length > 0) yield this.#take(this.#rest.length);
    for (let more = await this.#more(); more !== undefined; more = await this.#more()) yield more;
  }

  async *#chunked(): AsyncGenerator<Buffer, void> {
    for (;;) {
      const line = await this.#line();
      yield line;
      const size = chunkSize(line);
      if (size === 0) break;
      yield* this.#exactly(size + 2);
    }
    // Trailers, up to a blank line.
    for (;;) {
      const line = await this.#line();
      yield line;
      if (line.length === 2) return;
    }
  }

  async #line(): Promise<Buffer> {
    for (;;) {
      const end = this.#rest.indexOf("\r\n");
      if (end >= 0) return this.#take(end + 2);
      this.#rest = Buffer.concat([this.#rest, await this.#moreOrThrow()]);
    }
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  async #moreOrThrow(): Promise<Buffer> {
    const more = await this.#more();
    if (more === undefined) throw new Error("the connection ended inside the body of a message");
    return more;
  }

  async #more(): Promise<Buffer | undefined> {
    const next = await this.#chunks.next();
    return next.done === true ? undefined : next.value;
  }
}

function chunkSize(line: Buffer): number {
  const size = Number.parseInt(line.toString("latin1"), 16);
  if (!Number.isSafeInteger(size) || size < 0) throw new Error("a chunk of a body has no size");
  return size;
}

function parseHead(bytes: Buffer): MessageHead {
  const [firstLine = "", ...lines] = bytes.toString("latin1").trimEnd().split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { firstLine, headers, bytes };
}

/** How the body of a request is delimited. */
export function requestBodyLength({ headers }: MessageHead): BodyLength {
  return declaredLength(headers) ?? 0;
}

/** How the body of the answer to a request with `method` is delimited. */
export function answerBodyLength(answer: MessageHead, method: string): BodyLength {
  const status = statusOf(answer);
  if (method === "HEAD" || status === 204 || status === 304 || status < 200) return 0;
  return declaredLength(answer.headers) ?? "until_close";
}

/** The status of an answer. */
export function statusOf({ firstLine }: MessageHead): number {
  return Number(firstLine.split(" ")[1]);
}

function declaredLength(headers: MessageHead["headers"]): BodyLength | undefined {
  if (headers.get("transfer-encoding")?.toLowerCase().endsWith("chunked") === true) return "chunked";
  const length = headers.get("content-length");
  return length === undefined ? undefined : Number(length);
}
