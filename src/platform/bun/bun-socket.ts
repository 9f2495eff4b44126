import type { AcceptSocket, ServerSocket, SocketListener } from "../contract.ts";

/** What Bun carries for each WebSocket. */
export interface SocketData {
  readonly connect: (socket: ServerSocket) => SocketListener;
  listener?: SocketListener;
}

/** Messages that go out together; more than Bun's buffer holds would go out one by one. */
const CORK_CHARS = 15_000;
/** Of silence on both sides, though Bun pings before. */
const IDLE_TIMEOUT_S = 120;

/** Stands for a request that has become a WebSocket: Bun wants no answer then. */
const UPGRADED = new Response(undefined, { status: 204 });

export function acceptOnBun(server: Bun.Server<SocketData>): AcceptSocket {
  return (request, connect) => (server.upgrade(request, { data: { connect } }) ? UPGRADED : undefined);
}

export function answerOf(response: Response): Response | undefined {
  return response === UPGRADED ? undefined : response;
}

export function bunSockets(messageBytesMax: number): Bun.WebSocketHandler<SocketData> {
  return {
    maxPayloadLength: messageBytesMax,
    idleTimeout: IDLE_TIMEOUT_S,
    perMessageDeflate: false,
    open: (socket) => {
      socket.data.listener = socket.data.connect(serverSocket(socket));
    },
    message: (socket, message) => socket.data.listener?.message(typeof message === "string" ? message : undefined),
    close: (socket) => socket.data.listener?.closed(),
  };
}

function serverSocket(socket: Bun.ServerWebSocket<SocketData>): ServerSocket {
  return {
    send: (messages) => {
      let at = 0;
      while (at < messages.length) {
        const end = endOfPart(messages, at);
        const part = messages.slice(at, end);
        socket.cork(() => {
          for (const message of part) socket.sendText(message);
        });
        at = end;
      }
    },
    bufferedBytes: () => socket.getBufferedAmount(),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  };
}

/** Index after the last of the messages from `start` that go out in one write. */
function endOfPart(messages: readonly string[], start: number): number {
  let chars = 0;
  for (let i = start; i < messages.length; i++) {
    chars += messages[i]?.length ?? 0;
    if (chars > CORK_CHARS && i > start) return i;
  }
  return messages.length;
}
