import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

const OPCODE_TEXT = 1;
const OPCODE_CLOSE = 8;

export interface RawSocketListener {
  /** One text message: `bytes` from `start` to `end`, valid only during the call. */
  text(bytes: Buffer, start: number, end: number): void;
}

/**
 * A WebSocket client over plain TCP: cheap enough to have a thousand in one process, and able not to read at all. It
 * answers no pings of the protocol.
 */
export class RawSocket {
  /** How the server closed; `code` 0 when the connection ended without a word. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #socket: Socket;
  readonly #listener: RawSocketListener;
  #rest: Buffer = Buffer.alloc(0);
  #upgraded = false;
  #closing = { code: 0, reason: "" };

  private constructor(port: number, path: string, listener: RawSocketListener, upgraded: () => void) {
    this.#listener = listener;
    const socket = connect(port, "127.0.0.1");
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nupgrade: websocket\r\nconnection: upgrade\r\n` +
        `sec-websocket-key: ${randomBytes(16).toString("base64")}\r\nsec-websocket-version: 13\r\n\r\n`,
    );
    socket.on("data", (chunk: Buffer) => {
      this.#take(chunk);
      if (this.#upgraded) upgraded();
    });
    this.closed = new Promise((resolve) => {
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(this.#closing));
    });
  }

  static async connect(port: number, path: string, listener: RawSocketListener): Promise<RawSocket> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = new RawSocket(port, path, listener, resolve);
    void socket.closed.then(() => reject(new Error("the server refused the connection")));
    await promise;
    return socket;
  }

  /** A text message of at most 125 bytes. */
  send(text: string): void {
    const payload = Buffer.from(text);
    // A mask of zeros leaves the payload as it is.
    this.#socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  }

  /** Takes nothing more from the network. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#upgraded) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0 || !bytes.subarray(0, end).toString().startsWith("HTTP/1.1 101")) {
        this.#rest = bytes;
        return;
      }
      this.#upgraded = true;
      bytes = bytes.subarray(end + 4);
    }
    let at = 0;
    for (let frame = frameAt(bytes, at); frame !== undefined; frame = frameAt(bytes, at)) {
      const { opcode, start, end } = frame;
      if (opcode === OPCODE_TEXT) this.#listener.text(bytes, start, end);
      if (opcode === OPCODE_CLOSE) {
        this.#closing = { code: bytes.readUInt16BE(start), reason: bytes.toString("utf8", start + 2, end) };
        this.#socket.end();
      }
      at = end;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }
}

/** The frame at `at` when all of it is there; a server masks nothing and sends no message in pieces. */
function frameAt(bytes: Buffer, at: number): { opcode: number; start: number; end: number } | undefined {
  if (bytes.length < at + 2) return undefined;
  const opcode = (bytes[at] ?? 0) & 0x0f;
  const short = (bytes[at + 1] ?? 0) & 0x7f;
  const head = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < at + head) return undefined;
  const length =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
  const start = at + head;
  return bytes.length < start + length ? undefined : { opcode, start, end: start + length };
}
