import { expect, test } from "bun:test";
import { serveWorkspace } from "../support/api-server.ts";
import { createWorkspace } from "../support/workspace.ts";

test("who asks for a stream's headers alone is answered, and not read to for ever", async () => {
  const { base } = await serveWorkspace(await createWorkspace());
  const signal = AbortSignal.timeout(5_000);
  const response = await fetch(`${base}/api/modder/hooks/stream`, { method: "HEAD", signal });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
});

test("a slash at the end of an address changes nothing, for WebSockets and wrong methods either", async () => {
  const { base } = await serveWorkspace(await createWorkspace());
  const socket = new WebSocket(`${base.replace("http", "ws")}/api/modder/hooks/ws/`);
  const opened = await new Promise((resolve) => {
    socket.addEventListener("open", () => resolve(true));
    socket.addEventListener("error", () => resolve(false));
  });
  socket.close();
  expect(opened).toBe(true);
  const wrong = await fetch(`${base}/api/sync/run/`, { method: "PUT" });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
});

test("what Allow names is answered, HEAD as well", async () => {
  const { base } = await serveWorkspace(await createWorkspace());
  const wrong = await fetch(`${base}/api/modder/hooks/webhooks`, { method: "PUT" });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD, POST, DELETE"]);
  expect((await fetch(`${base}/api/modder/hooks/webhooks`, { method: "HEAD" })).status).toBe(200);
});

test("a number that is none is answered with what may be given, not with a pattern", async () => {
  const api = await serveWorkspace(await createWorkspace());
  const { status, body } = await api.get("/api/modder/hooks/history?limit=0");
  expect([status, body["detail"]]).toEqual([422, "limit must be a whole number from 1 to 999999999"]);
});
