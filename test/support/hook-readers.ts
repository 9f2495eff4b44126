/** Readers of a server's hooks, as tools would write them. */

export interface HookMessage {
  readonly event?: string;
  readonly ts?: number;
  readonly data?: Record<string, unknown>;
  readonly [key: string]: unknown;
}

/** A list that others append to and a test waits on. */
class Arrivals<T> {
  readonly all: T[] = [];
  #waiting: (() => void)[] = [];
  #ended = false;

  push(item: T): void {
    this.all.push(item);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Resolves when `enough` is true of what has come; rejects when it never can be. */
  async until(enough: (all: readonly T[]) => boolean): Promise<readonly T[]> {
    while (!enough(this.all)) {
      if (this.#ended) throw new Error(`the connection ended after ${JSON.stringify(this.all)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.all;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

export interface SocketReader {
  readonly messages: Arrivals<HookMessage>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(text: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** Bun's takes headers, which the types of the web do not know. */
const BunWebSocket = WebSocket as new (url: string, options: object) => WebSocket;

/** Connects to the hooks' WebSocket and sends `first`. Rejects when the server refuses the handshake. */
export async function readSocket(
  base: string,
  first: unknown = {},
  headers: Record<string, string> = {},
): Promise<SocketReader> {
  const socket = new BunWebSocket(`${base.replace("http", "ws")}/api/modder/hooks/ws`, { headers });
  const messages = new Arrivals<HookMessage>();
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => {
      messages.end();
      resolve({ code, reason });
    });
  });
  socket.addEventListener("message", ({ data }) => messages.push(JSON.parse(String(data)) as HookMessage));
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error("the server refused the connection")));
  });
  if (first !== undefined) socket.send(typeof first === "string" ? first : JSON.stringify(first));
  return { messages, closed, send: (text) => socket.send(text), close: () => socket.close() };
}

export interface StreamEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: HookMessage;
}

export interface StreamReader {
  readonly status: number;
  readonly events: Arrivals<StreamEvent>;
  /** As a browser keeps it. */
  lastEventId(): string | undefined;
  /** Comment lines so far. */
  readonly comments: readonly string[];
  close(): Promise<void>;
}

/** Reads the hooks' Server-Sent Events as the HTML standard says. */
export async function readStream(
  base: string,
  query = "",
  headers: Record<string, string> = {},
): Promise<StreamReader> {
  const aborting = new AbortController();
  const response = await fetch(`${base}/api/modder/hooks/stream${query}`, { headers, signal: aborting.signal });
  const events = new Arrivals<StreamEvent>();
  const comments: string[] = [];
  let lastEventId: string | undefined;
  let event = "message";
  let data: string[] = [];
  const line = (text: string) => {
    const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(text) ?? [];
    if (text === "") {
      if (data.length > 0) events.push({ event, id: lastEventId, data: JSON.parse(data.join("\n")) as HookMessage });
      event = "message";
      data = [];
    } else if (field === "") comments.push(value);
    else if (field === "id") lastEventId = value;
    else if (field === "event") event = value;
    else if (field === "data") data.push(value);
  };
  const read = async () => {
    let rest = "";
    for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const each of lines) line(each);
    }
  };
  const done = response.ok
    ? read().then(
        () => events.end(),
        () => events.end(),
      )
    : Promise.resolve();
  return {
    status: response.status,
    events,
    comments,
    lastEventId: () => lastEventId,
    close: async () => {
      aborting.abort();
      await done;
    },
  };
}
