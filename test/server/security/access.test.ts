import { describe, expect, test } from "bun:test";
import { startServer } from "../../../src/server/server.ts";
import { serveWorkspace } from "../../support/api-server.ts";
import { rawHttp } from "../../support/raw-http.ts";
import { codeOf, createWorkspace } from "../../support/workspace.ts";

const FILES = { "assets/a.png": "A" };
const BODY = JSON.stringify({ service: "s3" });

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);

describe("security 1: a form of a foreign page", () => {
  test.each([
    "text/plain",
    "text/plain; jx=1",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/json; charset=utf-16",
    "text/json",
    "application/json, text/plain",
    "",
  ])("Content-Type '%s' is 415 and has no effect", async (type) => {
    const workspace = await createWorkspace(FILES);
    const api = await serveWorkspace(workspace);
    const { status } = await api.post("/api/sync/run", BODY, { "content-type": type });
    expect(status).toBe(415);
    expect(workspace.store.objects.size).toBe(0);
  });

  test.each([
    "http://evil.example",
    "null",
    "https://127.0.0.1",
    "http://127.0.0.1:1",
    "http://localhost.evil.example",
  ])("Origin %s is 403 and has no effect", async (origin) => {
    const workspace = await createWorkspace(FILES);
    const api = await serveWorkspace(workspace);
    expect(await api.post("/api/sync/run", BODY, { origin })).toMatchObject({
      status: 403,
      body: { code: "forbidden_origin" },
    });
    expect(workspace.store.objects.size).toBe(0);
  });

  test("Sec-Fetch-Site cross-site is 403; the server's own page and programs pass", async () => {
    const api = await serveWorkspace(await createWorkspace(FILES));
    expect((await api.post("/api/sync/dry_run", BODY, { "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect(
      (await api.post("/api/sync/dry_run", BODY, { origin: api.base, "sec-fetch-site": "same-origin" })).status,
    ).toBe(200);
  });
});

describe("security 3: requests that name another host", () => {
  const post = (head: string) =>
    `POST /api/sync/run HTTP/1.1\r\n${head}content-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;

  test.each([
    ["a foreign Host", (_port: number) => post("host: evil.example\r\n")],
    ["a foreign Host with our port", (port: number) => post(`host: evil.example:${port}\r\n`)],
    ["a Host without the port", () => post("host: 127.0.0.1\r\n")],
    ["no Host", () => post("")],
    ["an empty Host", () => post("host:\r\n")],
    ["two Hosts, ours last", (port: number) => post(`host: evil.example\r\nhost: 127.0.0.1:${port}\r\n`)],
    ["two Hosts, ours first", (port: number) => post(`host: 127.0.0.1:${port}\r\nhost: evil.example\r\n`)],
    ["a Host with userinfo", (port: number) => post(`host: x@127.0.0.1:${port}\r\n`)],
    ["an absolute-form target", () => post("host: evil.example\r\n").replace("POST /", "POST http://evil.example/")],
  ])("%s is 4xx on every route and has no effect", async (_name, request) => {
    const workspace = await createWorkspace(FILES);
    const { server } = await serveWorkspace(workspace);
    for (const route of ["/api/sync/run", "/api/sync/dry_run", "/api/nothing"]) {
      const status = statusOf(await rawHttp(server.port, request(server.port).replace("/api/sync/run", route)));
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
    const get = request(server.port).replace("POST", "GET").replace("/api/sync/run", "/api/health");
    expect(statusOf(await rawHttp(server.port, get))).toBeGreaterThanOrEqual(400);
    expect(workspace.store.objects.size).toBe(0);
  });

  // Bun.serve builds the URL from the path alone and shows the rest of an absolute-form target nowhere. It is not used
  // anywhere either: what such a request gets is what its Host header may have.
  test("an absolute-form target with our own Host gets no more than its path does", async () => {
    const workspace = await createWorkspace(FILES);
    const { server } = await serveWorkspace(workspace);
    const own = `host: 127.0.0.1:${server.port}\r\n`;
    for (const authority of ["http://evil.example", "https://evil.example:1", `http://127.0.0.1:${server.port}`]) {
      const answer = await rawHttp(server.port, `GET ${authority}/api/health HTTP/1.1\r\n${own}\r\n`);
      expect(answer).not.toContain("evil");
      expect(statusOf(answer)).toBe(200);
      const foreign = post(`${own}origin: http://evil.example\r\n`).replace("POST /", `POST ${authority}/`);
      expect(statusOf(await rawHttp(server.port, foreign))).toBe(403);
    }
    expect(statusOf(await rawHttp(server.port, `CONNECT evil.example:443 HTTP/1.1\r\n${own}\r\n`))).toBe(403);
    expect(workspace.store.objects.size).toBe(0);
  });

  test("localhost and both loopback addresses with the port pass", async () => {
    const { server } = await serveWorkspace(await createWorkspace(FILES));
    for (const host of ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"]) {
      const answer = await rawHttp(server.port, `GET /api/health HTTP/1.1\r\nhost: ${host}:${server.port}\r\n\r\n`);
      expect(statusOf(answer)).toBe(200);
    }
  });
});

describe("security 4: a WebSocket upgrade", () => {
  const upgrade = (port: number, origin: string) =>
    `GET /api/modder/hooks/ws HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
    `sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${origin}\r\n`;

  test.each([
    "origin: http://evil.example",
    "origin: null",
    "origin: https://127.0.0.1",
    "origin: http://127.0.0.1:1",
    "sec-fetch-site: cross-site",
    "sec-fetch-site: same-site",
  ])("with '%s' is refused", async (header) => {
    const { server } = await serveWorkspace(await createWorkspace(FILES));
    const answer = await rawHttp(server.port, upgrade(server.port, `${header}\r\n`), 100);
    expect(answer).toContain("forbidden_origin");
    expect(statusOf(answer)).toBe(403);
  });
});

describe("a page of another origin that reads", () => {
  test.each(["/api/sync/manifest", "/api/backup", "/api/modder/hooks/history", "/api/modder/hooks/stream"])(
    "%s is refused: a scan or an open stream costs something",
    async (path) => {
      const api = await serveWorkspace(await createWorkspace(FILES));
      for (const headers of [{ origin: "http://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
        expect(await api.get(path, headers as Record<string, string>)).toMatchObject({
          status: 403,
          body: { code: "forbidden_origin" },
        });
      }
    },
  );

  test("health is answered, in a way that its browser keeps from it", async () => {
    const api = await serveWorkspace(await createWorkspace(FILES));
    const response = await fetch(`${api.base}/api/health`, { headers: { origin: "http://evil.example" } });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
  });
});

describe("addresses that others can reach", () => {
  test.each(["0.0.0.0", "::", "192.0.2.1", "studio.example"])(
    "%s without a token is refused before it listens",
    async (host) => {
      const workspace = await createWorkspace(FILES);
      const app = await workspace.app();
      expect(await codeOf(startServer(app, { host, port: 0, token: undefined }))).toBe("server_host_refused");
      app.close();
    },
  );
});

test("stopping the server cancels a run cleanly: nothing published", async () => {
  const workspace = await createWorkspace(
    Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`assets/${i}`, `${i}`])),
  );
  let reached: () => void = () => undefined;
  const started = new Promise<void>((resolve) => (reached = resolve));
  workspace.wrap = (provider) => ({
    ...provider,
    put: async (key, source, options) => {
      if (key.endsWith("/7")) {
        reached();
        await new Promise((resolve) => options.signal?.addEventListener("abort", resolve));
      }
      return await provider.put(key, source, options);
    },
  });
  const app = await workspace.app();
  const server = await startServer(app, { host: "127.0.0.1", port: 0, token: undefined });
  const request = fetch(`http://127.0.0.1:${server.port}/api/sync/run`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: BODY,
  });
  await started;
  await server.stop(5_000);
  const response = await request;
  expect(response.status).toBe(503);
  expect(((await response.json()) as { code: string }).code).toBe("aborted");
  expect(workspace.store.objects.has("manifests/default.json")).toBe(false);
  app.close();
});
