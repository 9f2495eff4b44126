/**
 * Sends the same GET over keep-alive connections for a while and counts the answers: `load.ts URL CONNECTIONS SECONDS`. Raw
 * sockets, one write and one search a request: what parses HTTP itself would be the slower side.
 */
import { connect } from "node:net";

const [target = "", connections = "32", seconds = "3"] = process.argv.slice(2);
const { hostname, port, pathname } = new URL(target);
const request = `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`;
const STATUS_OK = "HTTP/1.1 200 ";

let answers = 0;
let refused = 0;
for (let i = 0; i < Number(connections); i++) {
  const socket = connect(Number(port), hostname, () => socket.write(request));
  socket.setNoDelay(true);
  // An answer is small: it comes in one piece.
  socket.on("data", (chunk: Buffer) => {
    if (chunk.toString("latin1", 0, STATUS_OK.length) === STATUS_OK) answers++;
    else refused++;
    socket.write(request);
  });
}
await Bun.sleep(Number(seconds) * 1000);
console.log(JSON.stringify({ answers, refused }));
process.exit(0);
