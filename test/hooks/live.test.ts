import { describe, expect, test } from "bun:test";
import { HOOK_NAMES } from "../../src/hooks/catalogue.ts";
import { startServer } from "../../src/server/server.ts";
import { serveWorkspace } from "../support/api-server.ts";
import { type HookMessage, readSocket, readStream } from "../support/hook-readers.ts";
import { rawHttp } from "../support/raw-http.ts";
import { codeOf, createWorkspace } from "../support/workspace.ts";

const FILES = { "assets/a.png": "A", "assets/b.png": "BB" };
const SYNC = { service: "s3", snapshot: "nightly" };
const REQUEST = { ...SYNC, paths: ["assets"] };
const namesOf = (messages: readonly HookMessage[]) => messages.map(({ event }) => event);
const completed = (messages: readonly HookMessage[]) => namesOf(messages).includes("on_cloud_sync_complete");
/** Without repeats of progress. */
const stepsOf = (names: readonly (string | undefined)[]) => names.filter((name, i) => name !== names[i - 1]);
const STEPS = ["on_cloud_sync_plan", "on_cloud_sync_progress", "on_cloud_sync_complete"];

test("a WebSocket and an SSE client see plan, progress and complete of a real run, in order and alike", async () => {
  const api = await serveWorkspace(await createWorkspace(FILES));
  const socket = await readSocket(api.base);
  const stream = await readStream(api.base);
  await socket.messages.until((all) => all.length === 1);
  await api.post("/api/sync/dry_run", REQUEST);
  await api.post("/api/sync/run", REQUEST);
  const [hello, ...messages] = await socket.messages.until(completed);
  const events = await stream.events.until((all) => completed(all.map(({ data }) => data)));
  expect(hello).toEqual({ ok: true, subscribed: [...HOOK_NAMES] });
  expect(events.map(({ data }) => data)).toEqual([...messages]);
  expect(stepsOf(namesOf(messages))).toEqual(STEPS);
  for (const message of messages) expect(Object.keys(message)).toEqual(["event", "ts", "data"]);
  const sync = { ...SYNC, timestamp: expect.any(Number) };
  expect(messages[0]?.data).toEqual({ ...sync, uploads: 2, deletes: 0, bytes: 3 });
  expect(messages.at(-1)?.data).toEqual({ ...sync, uploads: 2, deletes: 0, skipped: 0, status: "ok" });
  expect(messages.at(-2)?.data).toMatchObject({ files_done: 2, files_total: 2, bytes_done: 3, bytes_total: 3 });
  await stream.close();
});

test("a run that is partial and one that fails tell how they ended", async () => {
  const workspace = await createWorkspace(FILES);
  const api = await serveWorkspace(workspace);
  const socket = await readSocket(api.base, { topics: ["on_cloud_sync_complete"] });
  workspace.wrap = (provider) => ({
    ...provider,
    put: async (key, source, options) => {
      if (key.endsWith("a.png")) throw new Error("refused");
      return await provider.put(key, source, options);
    },
  });
  await api.post("/api/sync/run", REQUEST);
  await socket.messages.until((all) => all.length === 2);
  workspace.wrap = (provider) => ({ ...provider, get: () => Promise.reject(new Error("unreadable")) });
  await api.post("/api/sync/run", REQUEST);
  const [, partial, failed] = await socket.messages.until((all) => all.length === 3);
  expect(partial?.data).toMatchObject({ uploads: 1, status: "partial" });
  expect(failed?.data).toMatchObject({ status: "failed" });
});

test("a run that is cancelled tells what it had done until then", async () => {
  const workspace = await createWorkspace(FILES);
  const events: (readonly [string, HookMessage["data"]])[] = [];
  const app = await workspace.app();
  app.hooks.subscribe(({ envelope }) => events.push([envelope.event, envelope.data]));
  const cancelling = new AbortController();
  workspace.wrap = (provider) => ({
    ...provider,
    put: async (key, source, options) => {
      if (key.endsWith("b.png")) {
        // The other file is there, and its record too.
        while (!workspace.store.objects.has("nightly/assets/a.png")) await Bun.sleep(1);
        for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
        cancelling.abort();
        options.signal?.throwIfAborted();
      }
      return await provider.put(key, source, options);
    },
  });
  expect(await codeOf(app.run({ service: "s3", snapshot: SYNC.snapshot, paths: ["assets"] }, cancelling.signal))).toBe(
    "aborted",
  );
  expect(events.at(-1)).toEqual([
    "on_cloud_sync_complete",
    { ...SYNC, uploads: 1, deletes: 0, skipped: 0, status: "aborted", timestamp: expect.any(Number) },
  ]);
  app.close();
});

describe("resuming an event stream", () => {
  test("after a dropped connection nothing is missing and nothing comes twice", async () => {
    const api = await serveWorkspace(await createWorkspace());
    const send = (n: number) =>
      api.post("/api/modder/hooks/test", { event: "on_backup_restored", payload: { restored: n } });
    const numbersOf = (events: readonly { readonly data: HookMessage }[]) =>
      events.map(({ data }) => data.data?.["restored"]);
    const first = await readStream(api.base);
    for (const n of [1, 2, 3]) await send(n);
    await first.events.until((all) => all.length === 3);
    await first.close();
    for (const n of [4, 5]) await send(n);
    const second = await readStream(api.base, "", { "last-event-id": first.lastEventId() ?? "" });
    await send(6);
    expect(numbersOf(await second.events.until((all) => all.length === 3))).toEqual([4, 5, 6]);
    expect(second.events.all.map(({ event }) => event)).toEqual(["message", "message", "message"]);
    await second.close();
  });

  test("a connection that was dropped before its first event resumes as well", async () => {
    const api = await serveWorkspace(await createWorkspace());
    const send = () => api.post("/api/modder/hooks/test", { event: "on_backup_restored" });
    await send();
    const first = await readStream(api.base);
    await first.close();
    await send();
    const second = await readStream(api.base, `?last_event_id=${first.lastEventId() ?? "none"}`);
    const [event] = await second.events.until((all) => all.length === 1);
    const { body } = await api.get("/api/modder/hooks/history");
    expect((body["items"] as { id: string }[]).map(({ id }) => id)).toEqual([
      first.lastEventId() ?? "",
      event?.id ?? "",
    ]);
    await second.close();
  });

  test("an id that is not known is told by an event, and what is kept follows", async () => {
    const api = await serveWorkspace(await createWorkspace());
    await api.post("/api/modder/hooks/test", { event: "on_backup_restored" });
    const stream = await readStream(api.base, "", { "last-event-id": "other-17" });
    const [gap, event] = await stream.events.until((all) => all.length === 2);
    expect(gap).toMatchObject({ event: "gap", id: undefined });
    expect(event).toMatchObject({ event: "message", data: { event: "on_backup_restored" } });
    await stream.close();
  });
});

describe("topics", () => {
  test.each([["on_backup_created"], ["modder.on_backup_created"]])("%s alone is heard", async (topic) => {
    const api = await serveWorkspace(await createWorkspace({ "data/x": "x" }));
    const socket = await readSocket(api.base, { topics: [topic] });
    const stream = await readStream(api.base, `?topics=${topic}`);
    await socket.messages.until((all) => all.length === 1);
    await api.post("/api/modder/hooks/test", { event: "on_backup_restored" });
    await api.post("/api/backup/create", { include: ["data"] });
    const [hello, message] = await socket.messages.until((all) => all.length === 2);
    const [event] = await stream.events.until((all) => all.length === 1);
    expect(hello).toEqual({ ok: true, subscribed: ["on_backup_created"] });
    expect(message).toMatchObject({ event: "on_backup_created", data: { files: 1, removed: 0 } });
    expect(event?.data).toEqual(message ?? {});
    await stream.close();
  });

  test.each([
    ["an unknown topic", { topics: ["on_canary_event"] }],
    ["a topic that is no text", { topics: [7] }],
    ["topics that are no list", { topics: "on_backup_created" }],
    ["a list", ["on_backup_created"]],
    ["no JSON", "canary"],
  ])("%s is refused by an answer that repeats nothing, and closes", async (_name, first) => {
    const api = await serveWorkspace(await createWorkspace());
    const socket = await readSocket(api.base, first);
    const { code } = await socket.closed;
    expect(code).toBe(1008);
    expect(socket.messages.all).toEqual([{ ok: false, error: expect.any(String) }]);
    expect(JSON.stringify(socket.messages.all)).not.toContain("canary");
  });

  test("an unknown topic of a stream is a 422", async () => {
    const api = await serveWorkspace(await createWorkspace());
    expect(await api.get("/api/modder/hooks/stream?topics=on_canary_event")).toMatchObject({
      status: 422,
      body: { code: "schema" },
    });
  });
});

test.each(["0", "-1", "1.5", "x", "", "1e3"])("a history of %p events is a 422", async (limit) => {
  const api = await serveWorkspace(await createWorkspace());
  expect((await api.get(`/api/modder/hooks/history?limit=${limit}`)).status).toBe(422);
});

test.each([
  ["an unknown event", { event: "on_canary" }],
  ["a field of the wrong type", { event: "on_backup_restored", payload: { restored: "canary" } }],
  ["a payload that is too long", { event: "on_backup_restored", payload: { name: "canary".repeat(3_000) } }],
  ["no event", {}],
])("a test of %s is a 422 that repeats nothing, and nobody hears of it", async (_name, body) => {
  const api = await serveWorkspace(await createWorkspace());
  const answer = await api.post("/api/modder/hooks/test", body);
  expect(answer.status).toBe(422);
  expect(answer.text).not.toContain("canary");
  expect((await api.get("/api/modder/hooks/history")).body).toEqual({ ok: true, items: [] });
});

test("a message over the size limit ends its connection and no other", async () => {
  const api = await serveWorkspace(await createWorkspace());
  const other = await readSocket(api.base);
  const socket = await readSocket(api.base, "x".repeat(100_000));
  await socket.closed;
  await api.post("/api/modder/hooks/test", { event: "on_backup_restored" });
  await other.messages.until((all) => all.length === 2);
  other.close();
  await other.closed;
});

describe("who may connect", () => {
  test.each(["http://evil.example", "null", "http://127.0.0.1:1"])(
    "a WebSocket from Origin %s is refused",
    async (origin) => {
      const api = await serveWorkspace(await createWorkspace());
      const refused = await readSocket(api.base, {}, { origin }).then(
        () => "connected",
        () => "refused",
      );
      expect(refused).toBe("refused");
    },
  );

  test("a page of this server connects", async () => {
    const api = await serveWorkspace(await createWorkspace());
    const socket = await readSocket(api.base, {}, { origin: api.base });
    await socket.messages.until((all) => all.length === 1);
    socket.close();
  });

  test("where the server has a token, sockets and streams need it", async () => {
    const app = await (await createWorkspace()).app();
    const server = await startServer(app, { host: "127.0.0.1", port: 0, token: "the-right-token" });
    const base = `http://127.0.0.1:${server.port}`;
    const connect = (headers: Record<string, string>) =>
      readSocket(base, {}, headers).then(
        () => "connected",
        () => "refused",
      );
    try {
      expect(await connect({})).toBe("refused");
      expect(await connect({ authorization: "Bearer wrong" })).toBe("refused");
      expect(await connect({ authorization: "Bearer the-right-token" })).toBe("connected");
      expect((await readStream(base)).status).toBe(401);
      const stream = await readStream(base, "", { authorization: "Bearer the-right-token" });
      expect(stream.status).toBe(200);
      await stream.close();
    } finally {
      await server.stop(0);
      app.close();
    }
  });

  test("a handshake that names another host is refused", async () => {
    const api = await serveWorkspace(await createWorkspace());
    const answer = await rawHttp(
      api.server.port,
      "GET /api/modder/hooks/ws HTTP/1.1\r\nhost: evil.example\r\nupgrade: websocket\r\nconnection: upgrade, close\r\n" +
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n",
    );
    expect(answer).toStartWith("HTTP/1.1 403");
  });

  test("a request that is no handshake is told so", async () => {
    const api = await serveWorkspace(await createWorkspace());
    expect(await api.get("/api/modder/hooks/ws")).toMatchObject({ status: 426, body: { code: "upgrade_required" } });
  });
});

test("stopping the server ends its readers at once, and tells them", async () => {
  const workspace = await createWorkspace();
  const api = await serveWorkspace(workspace);
  const socket = await readSocket(api.base);
  const stream = await readStream(api.base);
  await socket.messages.until((all) => all.length === 1);
  await api.server.stop(60_000);
  expect(await socket.closed).toEqual({ code: 1001, reason: "the server is stopping" });
  expect(await stream.events.until((all) => all.length === 1)).toMatchObject([
    { event: "dropped", data: { reason: "the server is stopping" } },
  ]);
});
