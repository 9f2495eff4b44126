import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A port of its own in front of a server, which can be taken away and given back: what a killed server looks like. */
export class TcpProxy {
  #server: Server | undefined;
  #port = 0;
  readonly #sockets = new Set<Socket>();
  /** Bytes that went to the server. */
  bytesUp = 0;
  /** Called after each chunk that went up; the place to count and to kill. */
  onBytesUp: () => void = () => undefined;

  constructor(private readonly target: URL) {}

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens; after the first time on the same port again. */
  async start(): Promise<void> {
    const server = createServer((client) => this.#join(client));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Refuses new connections and resets those that are open, at once. */
  kill(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  /** Resolves when everything that dead clients had sent has gone up. */
  async idle(): Promise<void> {
    while (this.#sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #join(client: Socket): void {
    const upstream = connect(Number(this.target.port), this.target.hostname);
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        // What one side had sent before it ended still goes to the other.
        client.destroySoon();
        upstream.destroySoon();
      });
    }
    client.on("data", (chunk) => {
      this.bytesUp += chunk.length;
      upstream.write(chunk);
      this.onBytesUp();
    });
    upstream.on("data", (chunk) => client.write(chunk));
  }
}
