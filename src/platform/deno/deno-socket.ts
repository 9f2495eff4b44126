import type { AcceptSocket, ServerSocket, SocketListener } from "../contract.ts";
import { deno, type DenoSocket } from "./deno-api.ts";

/** Of silence on both sides, though Deno pings before. */
const IDLE_TIMEOUT_S = 120;
const MESSAGE_TOO_BIG = 1009;

export function acceptOnDeno(messageBytesMax: number): AcceptSocket {
  return (request, connect) => {
    // Deno throws for what is no handshake.
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return undefined;
    const { socket, response } = deno.upgradeWebSocket(request, { idleTimeout: IDLE_TIMEOUT_S });
    let listener: SocketListener | undefined;
    socket.addEventListener("open", () => {
      listener = connect(serverSocket(socket));
    });
    socket.addEventListener("message", ({ data }) => {
      const tooBig = typeof data === "string" && data.length > messageBytesMax;
      if (tooBig) socket.close(MESSAGE_TOO_BIG, "the message is too big");
      else listener?.message(typeof data === "string" ? data : undefined);
    });
    socket.addEventListener("close", () => listener?.closed());
    return response;
  };
}

function serverSocket(socket: DenoSocket): ServerSocket {
  const isOpen = () => socket.readyState === 1;
  return {
    send: (messages) => {
      if (isOpen()) for (const message of messages) socket.send(message);
    },
    bufferedBytes: () => socket.bufferedAmount,
    close: (code, reason) => {
      if (isOpen()) socket.close(code, reason);
    },
    // Deno has no way to end a connection without its closing handshake; its idle timeout ends this one.
    terminate: () => {
      if (isOpen()) socket.close();
    },
  };
}
