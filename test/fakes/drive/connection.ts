import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { MessageReader } from "../../faults/http-messages.ts";
import type { Answer } from "./answer.ts";
import { type DriveRequest, readDriveRequest } from "./drive-request.ts";
import type { Ending } from "./fault-play.ts";

/** Serves the requests of one HTTP/1.1 connection, one after another. */
export async function serveConnection(
  socket: Socket,
  answer: (request: DriveRequest) => Promise<Answer | Ending>,
): Promise<void> {
  socket.on("error", () => socket.destroy());
  const reader = new MessageReader(socket);
  try {
    for (let head = await reader.head(); head !== undefined; head = await reader.head()) {
      if (head.headers.get("expect")?.toLowerCase() === "100-continue") socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      const request = readDriveRequest(head, reader);
      let outcome = await answer(request);
      if ("end" in outcome && outcome.end === "hang") await closed(socket);
      if ("end" in outcome && outcome.end === "cut") outcome = await cutShort(socket, outcome);
      if ("end" in outcome) {
        socket.resetAndDestroy();
        return;
      }
      if (!request.isRead()) for await (const _ of request.pieces());
      await write(socket, outcome, outcome.body);
    }
    socket.end();
  } catch {
    // The client broke off, or sent what is no HTTP.
    socket.resetAndDestroy();
  }
}

async function cutShort(socket: Socket, { answer, how }: Extract<Ending, { end: "cut" }>): Promise<Ending> {
  await write(socket, answer, answer.body.subarray(0, Math.floor(answer.body.length / 2)));
  if (how === "close") {
    socket.end();
    await closed(socket);
  }
  return { end: "reset" };
}

async function write(socket: Socket, { status, headers, body }: Answer, sent: Uint8Array): Promise<void> {
  const lines = Object.entries({
    ...headers,
    ...(status === 204 ? {} : { "content-length": String(body.length) }),
    server: "ESF",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} ${status === 308 ? "Resume Incomplete" : (STATUS_CODES[status] ?? "")}\r\n`;
  await send(socket, Buffer.concat([Buffer.from(`${head}${lines.join("")}\r\n`, "latin1"), sent]));
}

async function send(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (socket.destroyed) throw new Error("the connection is gone");
  if (socket.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const settle = () => {
      socket.off("drain", settle).off("close", settle);
      resolve();
    };
    socket.on("drain", settle).on("close", settle);
  });
}

async function closed(socket: Socket): Promise<void> {
  if (socket.destroyed) return;
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
}
