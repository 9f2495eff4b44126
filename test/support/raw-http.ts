import { connect } from "node:net";

/** Sends `text` as it is to a port of loopback and gives what comes back until the far side closes or falls silent. */
export async function rawHttp(port: number, text: string, silenceMs = 300): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    let timer: NodeJS.Timeout | undefined;
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      clearTimeout(timer);
      timer = setTimeout(end, silenceMs);
    });
    socket.on("close", end);
    socket.on("error", reject);
  });
}
