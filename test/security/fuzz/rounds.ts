import fc from "fast-check";
import { App } from "../../../src/app.ts";
import type { Operation } from "../../../src/api/operation.ts";
import { bunPlatform } from "../../../src/platform/bun/bun-platform.ts";
import { createApi } from "../../../src/server/api.ts";
import { type OpenApiDocument, openApiDocument } from "../../../src/server/openapi/document.ts";
import { problemResponse } from "../../../src/server/problem.ts";
import { rawHttp } from "../../support/raw-http.ts";
import { checkRequest, requestArbitrary } from "./fuzz.ts";
import type { FuzzedServer } from "./fuzzed-server.ts";
import { ODD_BODIES } from "./odd-bodies.ts";
import { rawRequests } from "./raw-requests.ts";

/** Every operation that the server has, and its document. */
export async function describedApi(
  root: string,
): Promise<{ operations: readonly Operation[]; document: OpenApiDocument }> {
  const app = await App.open({ platform: bunPlatform(), root, passphrase: () => undefined, complain: () => undefined });
  app.close();
  const { operations } = createApi(app, new AbortController().signal, problemResponse);
  return { operations, document: openApiDocument(operations) };
}

type Described = Awaited<ReturnType<typeof describedApi>>;

/** `runs` requests made from the document; how many had which status. */
export async function fuzzRequests(
  server: FuzzedServer,
  api: Described,
  runs: number,
  seed: number,
): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  const property = fc.asyncProperty(requestArbitrary(api.operations), async (request) => {
    const status = await checkRequest(server, api.document, request);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  });
  await fc.assert(property, { numRuns: runs, seed, endOnFailure: true });
  return statuses;
}

/** Each odd body to each operation that takes one. */
export async function fuzzBodies(server: FuzzedServer, api: Described): Promise<number> {
  let sent = 0;
  for (const operation of api.operations.filter(({ body }) => body !== undefined)) {
    for (const body of ODD_BODIES) {
      await checkRequest(server, api.document, { operation, query: {}, body });
      sent++;
    }
  }
  return sent;
}

/**
 * Each raw request on a connection of its own; the first lines of the answers, which are never a 5xx but 505, the runtime's
 * own word for a first line that ends in no version of HTTP.
 */
export async function fuzzSockets(server: FuzzedServer): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const [name, text] of rawRequests(`127.0.0.1:${server.port}`)) {
    const answer = await rawHttp(server.port, text, 100).catch((error: unknown) => `closed: ${String(error)}`);
    if (/^HTTP\/1\.1 5(?!05)/.test(answer)) throw new Error(`${name}: ${answer.slice(0, 300)}`);
    answers.push(`${name}: ${answer.split("\r\n")[0] ?? ""}`);
    const health = await fetch(`${server.base}/api/health`);
    if (!health.ok) throw new Error(`after ${name} health is ${health.status}`);
  }
  return answers;
}
