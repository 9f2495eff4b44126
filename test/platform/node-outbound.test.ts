import { afterAll, expect, test } from "bun:test";
import { execFile } from "node:child_process";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { PinnedPost } from "../../src/platform/contract.ts";
import { tempFolder } from "../support/temp-folder.ts";

const { outbound } = bunPlatform();
const BODY = new TextEncoder().encode('{"a":"é"}');

const run = promisify(execFile);

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function serve(handle: RequestListener): Promise<number> {
  return listen(createServer(handle));
}

function post(url: string, options: Partial<PinnedPost> = {}) {
  const headers = { "content-type": "application/json", "webhook-id": "1" };
  const limits = { timeoutMs: 10_000, answerBytesMax: 65_536 };
  return outbound.post({ url: new URL(url), address: "127.0.0.1", headers, body: BODY, ...limits, ...options });
}

test("the connection goes to the given address, whatever the name leads to; Host, path and body are those of the request", async () => {
  let seen: unknown;
  const port = await serve((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    request.on("end", () => {
      const { host, "webhook-id": id, "content-length": length } = request.headers;
      seen = { method: request.method, path: request.url, host, id, length, body: Buffer.concat(chunks).toString() };
      response.end("ok");
    });
  });
  // .invalid: no resolver knows it.
  expect(await post(`http://hooks.invalid:${port}/in?x=1`)).toEqual({ status: 200, retryAfter: undefined });
  const expected = { method: "POST", path: "/in?x=1", host: `hooks.invalid:${port}`, id: "1" };
  expect(seen).toEqual({ ...expected, length: "10", body: '{"a":"é"}' });
});

test("a redirect is an answer like any other: nothing is sent where it points", async () => {
  let hits = 0;
  const other = await serve((_, response) => {
    hits++;
    response.end();
  });
  const port = await serve((_, response) => {
    response.writeHead(307, { location: `http://127.0.0.1:${other}/` }).end();
  });
  expect(await post(`http://hooks.invalid:${port}/`)).toMatchObject({ status: 307 });
  expect(hits).toBe(0);
});

test("a proxy of the environment is not asked", async () => {
  let asked = 0;
  const proxy = await serve((_, response) => {
    asked++;
    response.end();
  });
  const port = await serve((_, response) => void response.end());
  const before = process.env["http_proxy"];
  process.env["http_proxy"] = `http://127.0.0.1:${proxy}`;
  try {
    expect(await post(`http://hooks.invalid:${port}/`)).toMatchObject({ status: 200 });
  } finally {
    if (before === undefined) delete process.env["http_proxy"];
    else process.env["http_proxy"] = before;
  }
  expect(asked).toBe(0);
});

test("an endless answer is cut off, and its status counts", async () => {
  let written = 0;
  const port = await serve((_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => {
      written += 16_384;
      response.write("x".repeat(16_384));
    }, 1);
    response.on("close", () => clearInterval(timer));
  });
  expect(await post(`http://hooks.invalid:${port}/`, { answerBytesMax: 100_000 })).toMatchObject({ status: 200 });
  expect(written).toBeLessThan(5_000_000);
});

test("an answer whose body never ends counts by its status; one that never begins is a timeout", async () => {
  const stalled = await serve((_, response) => {
    response.writeHead(202);
    response.write("x");
  });
  expect(await post(`http://hooks.invalid:${stalled}/`, { timeoutMs: 300 })).toMatchObject({ status: 202 });
  const silent = await serve(() => undefined);
  expect(await post(`http://hooks.invalid:${silent}/`, { timeoutMs: 300 })).toEqual({ failure: "timeout" });
});

test("calling off ends the request at once", async () => {
  const port = await serve(() => undefined);
  const abort = new AbortController();
  const sent = post(`http://hooks.invalid:${port}/`, { signal: abort.signal });
  abort.abort();
  expect(await sent).toEqual({ failure: "aborted" });
  expect(await post(`http://hooks.invalid:${port}/`, { signal: abort.signal })).toEqual({ failure: "aborted" });
});

test("a connection that is refused, and one that is cut off, are told apart", async () => {
  const port = await serve((request) => request.socket.destroy());
  expect(await post(`http://hooks.invalid:${port}/`)).toEqual({ failure: "broken" });
  const gone = createServer();
  const free = await listen(gone);
  await new Promise((resolve) => gone.close(resolve));
  expect(await post(`http://hooks.invalid:${free}/`)).toEqual({ failure: "unreachable" });
});

test("over TLS the certificate is held against the name of the URL, not the address", async () => {
  const folder = tempFolder();
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const names = ["-subj", "/CN=hooks.invalid", "-addext", "subjectAltName=DNS:hooks.invalid"];
  const made = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2"];
  await run("openssl", ["req", "-x509", ...made, ...names]);
  const files = { key: readFileSync(key, "utf8"), cert: readFileSync(certificate, "utf8") };
  let hits = 0;
  const port = await listen(
    createTlsServer(files, (_, response) => {
      hits++;
      response.end();
    }),
  );
  // Nobody's authority has signed it: that is found out before a byte of the event is sent.
  expect(await post(`https://hooks.invalid:${port}/`)).toEqual({ failure: "tls" });
  expect(hits).toBe(0);
  const trusting = `${folder}/trusting.ts`;
  const module = join(import.meta.dirname, "../../src/platform/node/node-outbound.ts");
  writeFileSync(
    trusting,
    `import { nodeOutbound } from ${JSON.stringify(module)};
     const limits = { headers: {}, body: new Uint8Array(), timeoutMs: 9000, answerBytesMax: 9 };
     for (const name of ["hooks.invalid", "other.invalid", "127.0.0.1"]) {
       const url = new URL("https://" + name + ":${port}/");
       console.log(JSON.stringify(await nodeOutbound.post({ url, address: "127.0.0.1", ...limits })));
     }
     process.exit(0);`,
  );
  const program = "Deno" in globalThis ? ["run", "--allow-all", "--no-check", trusting] : [trusting];
  const env = { PATH: "/usr/bin:/bin", HOME: folder, NODE_EXTRA_CA_CERTS: certificate, DENO_CERT: certificate };
  const { stdout } = await run(process.execPath, program, { env, timeout: 30_000 });
  const said = stdout.trim().split("\n");
  expect(said).toEqual(['{"status":200}', '{"failure":"tls"}', '{"failure":"tls"}']);
  expect(hits).toBe(1);
});

test("a name is looked up by the system, and one that does not exist has no address", async () => {
  expect(await outbound.addressesOf("localhost")).toContain("127.0.0.1");
  expect(await outbound.addressesOf("nothing.invalid")).toEqual([]);
});
