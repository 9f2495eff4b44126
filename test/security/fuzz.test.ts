/** A short run of what `bun run soak:fuzz` does at length. */
import { afterAll, expect, test } from "bun:test";
import { tempFolder } from "../support/temp-folder.ts";
import { startFuzzedServer } from "./fuzz/fuzzed-server.ts";
import { describedApi, fuzzBodies, fuzzRequests, fuzzSockets } from "./fuzz/rounds.ts";

const SEED = 20_261_122;

const server = await startFuzzedServer(tempFolder());
afterAll(() => server.stop());
const api = await describedApi(tempFolder());

test("requests made from the document get what it documents, and no value of theirs back", async () => {
  const statuses = await fuzzRequests(server, api, 600, SEED);
  expect(server.alive()).toBe(true);
  // Both what fits and what does not was among them.
  expect(statuses.get(200) ?? 0).toBeGreaterThan(50);
  expect((statuses.get(422) ?? 0) + (statuses.get(400) ?? 0)).toBeGreaterThan(100);
}, 120_000);

test("bodies on which parsers differ are 4xx or fit", async () => {
  expect(await fuzzBodies(server, api)).toBeGreaterThan(300);
  expect(server.alive()).toBe(true);
}, 120_000);

test("HTTP that no client sends is refused or ends its connection, and disturbs nobody", async () => {
  expect((await fuzzSockets(server)).length).toBeGreaterThan(40);
  expect(server.alive()).toBe(true);
}, 120_000);
