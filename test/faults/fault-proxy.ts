import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { STATUS_CODES } from "node:http";
import { CANNED_ANSWERS, type CannedAnswer, type Fault, FaultScript } from "./fault-script.ts";
import { answerBodyLength, type MessageHead, MessageReader, requestBodyLength, statusOf } from "./http-messages.ts";
import { readS3Request, type S3Request } from "./s3-request.ts";
import { type Sending, SentContent } from "./sent-content.ts";

/** Where a run stands, for whoever wants to act at a certain moment. */
export interface ProxyProgress {
  /** Requests whose head has arrived. */
  readonly requests: number;
  /** Of all request bodies that went to the store. */
  readonly bytesUp: number;
  /** The request that is under way. */
  readonly request: S3Request;
}

/**
 * An HTTP/1.1 proxy on a port of its own in front of an S3 server. It streams bodies, keeps connections, and does to
 * chosen requests what its script says.
 */
export class FaultProxy {
  script = new FaultScript();
  readonly sent = new SentContent();
  /** Called for each head and each piece of a body that goes up, before it goes. */
  onProgress: (progress: ProxyProgress) => void = () => undefined;
  /** Called for each request, which waits for it: the place for delays that a seed decides. */
  pace: (request: S3Request) => Promise<void> = async () => undefined;
  /** Called when the store's answer to a request has gone to the client. */
  onAnswered: (request: S3Request) => void = () => undefined;
  requests = 0;
  bytesUp = 0;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #reopening: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(target: string) {
    this.#target = new URL(target);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens; after the first time on the same port again. */
  async start(): Promise<void> {
    const server = createServer((client) => void this.#serve(client));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Resets every connection and listens no more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#shut();
    await this.#reopening;
  }

  /** Resolves when a refusal that is under way has ended. */
  async reopened(): Promise<void> {
    await this.#reopening;
  }

  #shut(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  #refuse(ms: number): void {
    this.#shut();
    this.#reopening = this.#reopenAfter(this.#reopening, ms);
  }

  async #reopenAfter(before: Promise<void>, ms: number): Promise<void> {
    await before;
    await Bun.sleep(ms);
    if (!this.#closed && this.#server === undefined) await this.start();
  }

  async #serve(client: Socket): Promise<void> {
    const exchange = new Exchanges(this, client, () =>
      this.#track(connect(Number(this.#target.port), this.#target.hostname)),
    );
    this.#track(client);
    try {
      await exchange.serveAll((ms) => this.#refuse(ms));
      client.end();
    } catch {
      // Either side broke off: so does the other.
      client.resetAndDestroy();
    } finally {
      exchange.close();
    }
  }

  #track(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
    return socket;
  }
}

/** What the script makes of a connection: it ends here. */
class ConnectionEnds extends Error {}

/** One client's connection: requests one after another, over one connection to the store. */
class Exchanges {
  readonly #requests: MessageReader;
  #upstream: Socket | undefined;
  #answers: MessageReader | undefined;

  constructor(
    private readonly proxy: FaultProxy,
    private readonly client: Socket,
    private readonly open: () => Socket,
  ) {
    this.#requests = new MessageReader(client);
    client.on("close", () => this.close());
  }

  async serveAll(refuse: (ms: number) => void): Promise<void> {
    for (let head = await this.#requests.head(); head !== undefined; head = await this.#requests.head()) {
      const request = readS3Request(head);
      this.proxy.requests++;
      this.#progress(request);
      const fault = this.proxy.script.meet(request.class);
      await this.proxy.pace(request);
      if (fault?.kind === "refuse") refuse(fault.ms);
      if (fault?.kind === "refuse" || fault?.kind === "reset_before") throw new ConnectionEnds();
      if (fault?.kind === "delay") await Bun.sleep(fault.ms);
      if (fault?.kind === "answer") await this.#answerInstead(head, request, fault.answer);
      else await this.#forward(head, request, fault);
    }
  }

  close(): void {
    this.#upstream?.destroy();
  }

  #progress(request: S3Request): void {
    this.proxy.onProgress({ requests: this.proxy.requests, bytesUp: this.proxy.bytesUp, request });
  }

  async #answerInstead(head: MessageHead, request: S3Request, name: CannedAnswer): Promise<void> {
    for await (const _ of this.#requests.body(requestBodyLength(head)));
    const { status, headers, type, body } = CANNED_ANSWERS[name];
    const lines = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
      `date: ${new Date().toUTCString()}`,
      `content-type: ${type}`,
      `content-length: ${Buffer.byteLength(body)}`,
      ...Object.entries(headers).map(([header, value]) => `${header}: ${value}`),
    ];
    await send(this.client, Buffer.from(`${lines.join("\r\n")}\r\n\r\n${request.method === "HEAD" ? "" : body}`));
  }

  async #forward(head: MessageHead, request: S3Request, fault: Fault | undefined): Promise<void> {
    const upstream = this.#upstream ?? this.open();
    this.#upstream = upstream;
    this.#answers ??= new MessageReader(upstream);
    const sending = this.proxy.sent.begin(request);
    // A store may answer before it has the whole body, and may not want the rest then.
    const up = this.#sendUp(upstream, head, request, sending, fault?.kind === "reset_in_body");
    up.catch(() => upstream.destroy());
    const status = await this.#sendDown(this.#answers, request, fault);
    if (sending !== undefined && status >= 200 && status < 300) sending.acknowledged = true;
    await up;
    this.proxy.onAnswered(request);
  }

  async #sendUp(
    upstream: Socket,
    head: MessageHead,
    request: S3Request,
    sending: Sending | undefined,
    breaks: boolean,
  ): Promise<void> {
    const length = requestBodyLength(head);
    const bytesMax = breaks && typeof length === "number" ? Math.floor(length / 2) : Number.POSITIVE_INFINITY;
    await send(upstream, head.bytes);
    let bytes = 0;
    for await (const piece of this.#requests.body(length)) {
      const kept = piece.subarray(0, bytesMax - bytes);
      bytes += kept.length;
      this.proxy.bytesUp += kept.length;
      this.#progress(request);
      await send(upstream, kept);
      if (sending !== undefined) sending.bytes += kept.length;
      if (bytes >= bytesMax) break;
    }
    if (breaks) throw new ConnectionEnds();
  }

  /** Passes the answer on, as far as `fault` lets it. @returns its status */
  async #sendDown(answers: MessageReader, request: S3Request, fault: Fault | undefined): Promise<number> {
    for (;;) {
      const head = await answers.head();
      if (head === undefined) throw new ConnectionEnds();
      const status = statusOf(head);
      const length = answerBodyLength(head, request.method);
      if (fault?.kind === "reset_after" || fault?.kind === "stall") {
        for await (const _ of answers.body(length));
        if (status < 200) continue;
        if (fault.kind === "stall") await closed(this.client);
        throw new ConnectionEnds();
      }
      await send(this.client, head.bytes);
      await this.#sendBodyDown(answers, length, fault?.kind === "truncate");
      if (status >= 200 && length === "until_close") this.client.end();
      if (status >= 200) return status;
    }
  }

  async #sendBodyDown(
    answers: MessageReader,
    length: ReturnType<typeof answerBodyLength>,
    cuts: boolean,
  ): Promise<void> {
    const bytesMax = cuts ? (typeof length === "number" ? Math.floor(length / 2) : 1) : Number.POSITIVE_INFINITY;
    let bytes = 0;
    for await (const piece of answers.body(length)) {
      const kept = piece.subarray(0, bytesMax - bytes);
      bytes += kept.length;
      await send(this.client, kept);
      if (bytes >= bytesMax) break;
    }
    if (!cuts) return;
    await new Promise<void>((resolve) => this.client.end(resolve));
    throw new ConnectionEnds();
  }
}

/** Writes and waits until there is room for more. @throws Error when the connection is gone */
async function send(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0) return;
  if (socket.destroyed) throw new ConnectionEnds();
  if (socket.write(bytes)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = () => {
      socket.off("drain", settle).off("close", settle);
      if (socket.destroyed) reject(new ConnectionEnds());
      else resolve();
    };
    socket.on("drain", settle).on("close", settle);
  });
}

async function closed(socket: Socket): Promise<void> {
  if (socket.destroyed) return;
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
}
