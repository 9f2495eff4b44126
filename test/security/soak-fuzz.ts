/**
 * `bun run soak:fuzz [SEED]`: 20,000 requests made from the API's own document, odd bodies and raw sockets against the real
 * program. Ends with status 1 at an undocumented answer, a 5xx but 502 and 503, a repeated value, a crash, or when the
 * server's memory at the end is not within 50 MB of what it was after the first tenth.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startFuzzedServer } from "./fuzz/fuzzed-server.ts";
import { describedApi, fuzzBodies, fuzzRequests, fuzzSockets } from "./fuzz/rounds.ts";

const REQUESTS = 20_000;
const DRIFT_BYTES_MAX = 50 * 1024 * 1024;
const seed = Number(process.argv[2] ?? Date.now() % 1_000_000_000);

const folder = mkdtempSync(join(tmpdir(), "comfyvn-fuzz-"));
const server = await startFuzzedServer(folder);
try {
  console.log(`seed ${seed}`);
  const api = await describedApi(folder);
  await fuzzBodies(server, api);
  await fuzzRequests(server, api, REQUESTS / 10, seed);
  const before = server.rssBytes();
  const statuses = await fuzzRequests(server, api, REQUESTS, seed + 1);
  const after = server.rssBytes();
  const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MB`;
  console.log(
    `${REQUESTS} requests: ${[...statuses]
      .toSorted(([a], [b]) => a - b)
      .map(([status, count]) => `${count} × ${status}`)
      .join(", ")}`,
  );
  console.log(`memory ${megabytes(before)} → ${megabytes(after)}`);
  for (const line of await fuzzSockets(server)) console.log(line);
  if (!server.alive()) throw new Error("the server has ended");
  if (Math.abs(after - before) > DRIFT_BYTES_MAX) throw new Error("memory is not flat");
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
