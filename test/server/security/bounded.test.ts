import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { SyncError } from "../../../src/core/errors.ts";
import { readJsonBody } from "../../../src/server/security/json-body.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { WorkSlots } from "../../../src/server/security/work-slots.ts";
import { type Api, type ApiAnswer, apiAt, serveWorkspace } from "../../support/api-server.ts";
import { rawHttp } from "../../support/raw-http.ts";
import { codeOf, createWorkspace } from "../../support/workspace.ts";
import { cliWorkspace, lineOf } from "../../cli/cli-process.ts";

const RSS_GROWTH_BYTES_MAX = 1024 * 1024 * 1024;

/** Resident memory of a process, now or at its peak. Bytes. */
function memoryOf(pid: number, what: "VmRSS" | "VmHWM"): number {
  const kilobytes = new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kilobytes === undefined) throw new Error("this system does not tell a process's memory");
  return Number(kilobytes) * 1024;
}

/** How often health was answered before `work` was done: the server had its turns meanwhile. */
async function healthDuring(api: Api, work: Promise<unknown>): Promise<number> {
  const state = { answers: 0, done: false };
  void work.finally(() => (state.done = true));
  while (!state.done) {
    expect((await api.get("/api/health")).status).toBe(200);
    if (!state.done) state.answers++;
  }
  await work;
  return state.answers;
}

describe("security 25: what is made to cost much", () => {
  test("patterns that backtrack for ever elsewhere are matched in linear time, others being served", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`assets/${"a".repeat(200)}/${"ab".repeat(60)}${i}`, "x"]),
    );
    const api = await serveWorkspace(await createWorkspace(files));
    const patterns = ["*a".repeat(400) + "*b", "*".repeat(900) + "x", `${"[a-z]*".repeat(170)}!`, "(a+)+$".repeat(100)];
    for (const exclude of patterns) {
      const scan = api.post("/api/sync/dry_run", { service: "s3", paths: ["assets"], exclude: [exclude] });
      expect(await healthDuring(api, scan)).toBeGreaterThan(0);
      expect((await scan).status).toBe(200);
    }
  });

  // In a process of its own: what this one holds, and when it collects its garbage, is another matter.
  test("a manifest of a million entries from a hostile remote takes bounded memory, others being served", async () => {
    const workspace = cliWorkspace();
    workspace.write("assets/a", "A");
    expect((await workspace.call(["init", "--service", "local", "--folder", workspace.other])).status).toBe(0);
    const sha256 = "0".repeat(64);
    const parts = [`{"manifest":{"name":"default","root":"/","created_at":"2026-01-01T00:00:00Z","entries":{`];
    for (let i = 0; i < 1_000_000; i++) {
      const path = `assets/evil/${i}`;
      parts.push(`${i === 0 ? "" : ","}"${path}":{"path":"${path}","size":1,"mtime":1.5,"sha256":"${sha256}"}`);
    }
    parts.push("}}}");
    mkdirSync(join(workspace.other, "manifests"), { recursive: true });
    writeFileSync(join(workspace.other, "manifests/default.json"), parts.join(""));
    parts.length = 0;
    await workspace.during(["serve", "--port", "0"], async (child) => {
      const api = apiAt((await lineOf(child, /^listening on /)).slice("listening on ".length));
      expect((await api.get("/api/health")).status).toBe(200);
      const before = memoryOf(child.pid, "VmRSS");
      const dryRun: Promise<ApiAnswer> = api.post("/api/sync/dry_run", { service: "local", paths: ["config"] });
      expect(await healthDuring(api, dryRun)).toBeGreaterThan(0);
      expect((await dryRun).body["plan"]).toMatchObject({ retained: 1_000_000, files_to_delete: 0 });
      expect(memoryOf(child.pid, "VmHWM") - before).toBeLessThan(RSS_GROWTH_BYTES_MAX);
    });
  }, 120_000);

  test.each([
    ["arrays", "[".repeat(100_000) + "]".repeat(100_000)],
    ["objects", '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000)],
    ["unclosed arrays", "[".repeat(1_000_000)],
    ["a field of arrays", `{"service":"s3","service_config":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ])("JSON of 100,000 levels (%s) is 400 before it is parsed", async (_what, body) => {
    const api = await serveWorkspace(await createWorkspace());
    const answer = await api.post("/api/sync/run", body);
    expect(answer).toMatchObject({ status: 400, body: { code: "bad_request" } });
    expect(answer.body["detail"]).toContain("nested deeper");
  });

  test("a hundred senders that drip their headers keep nobody else waiting", async () => {
    const api = await serveWorkspace(await createWorkspace());
    const sockets: Socket[] = [];
    afterAll(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (let i = 0; i < 100; i++) {
      const socket = connect(api.server.port, "127.0.0.1");
      await new Promise((resolve) => socket.once("connect", resolve));
      socket.write("GET /api/health HTTP/1.1\r\nx-slow: ");
      sockets.push(socket);
    }
    for (let i = 0; i < 20; i++) {
      for (const socket of sockets) socket.write("a");
      expect((await api.get("/api/health")).status).toBe(200);
    }
  });
});

describe("limits, each with its code", () => {
  test("a connection whose headers never end is closed, though it goes on sending", async () => {
    const { server } = await serveWorkspace(await createWorkspace());
    const socket = connect(server.port, "127.0.0.1");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined);
    socket.write("GET /api/health HTTP/1.1\r\n");
    const drip = setInterval(() => socket.write("x-slow: a\r\n"), 1_000);
    await closed;
    clearInterval(drip);
    expect(socket.destroyed).toBe(true);
  }, 60_000);

  test("headers over 16 KiB or over 100 are 431, and their connection ends", async () => {
    const { server } = await serveWorkspace(await createWorkspace());
    const head = `GET /api/health HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n`;
    for (const more of [`x: ${"a".repeat(20_000)}\r\n`, "a: b\r\n".repeat(1_000)]) {
      expect(await rawHttp(server.port, `${head}${more}\r\n`)).toStartWith("HTTP/1.1 431");
    }
    expect(await rawHttp(server.port, head.replace("health", "a".repeat(20_000)))).toStartWith("HTTP/1.1 431");
  });

  test("a body over 1 MiB is 413, by its own word or by what comes", async () => {
    const api = await serveWorkspace(await createWorkspace());
    const text = `{"service":"${"x".repeat(1024 * 1024)}"}`;
    expect(await api.post("/api/sync/run", text)).toMatchObject({ status: 413, body: { code: "body_too_large" } });
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(32)),
    });
    const request = new Request("http://x/", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: stream,
    });
    expect(await codeOf(readJsonBody(request))).toBe("body_too_large");
  });

  test("a body that does not arrive in time is 408, and is read no further", async () => {
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    const request = new Request("http://x/", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: stream,
    });
    expect(await codeOf(readJsonBody(request, 20))).toBe("request_timeout");
    expect(cancelled).toBe(true);
  });

  test.each([
    [{ exclude: Array.from({ length: 257 }, () => "*") }, 422, "schema"],
    [{ exclude: ["x".repeat(1025)] }, 422, "schema"],
    [{ exclude: Array.from({ length: 20 }, () => "x".repeat(1000)) }, 400, "bad_pattern"],
    [{ paths: Array.from({ length: 257 }, (_, i) => `p${i}`) }, 422, "schema"],
    [{ paths: ["x".repeat(4097)] }, 422, "schema"],
    [{ credentials_key: "x".repeat(257) }, 422, "schema"],
  ])("a request of too many or too long texts is refused (%#)", async (more, status, code) => {
    const api = await serveWorkspace(await createWorkspace());
    expect(await api.post("/api/sync/dry_run", { service: "s3", ...more })).toMatchObject({ status, body: { code } });
  });

  test("of patterns in a query too", async () => {
    const api = await serveWorkspace(await createWorkspace());
    const get = (exclude: string) => api.get(`/api/sync/manifest?exclude=${encodeURIComponent(exclude)}`);
    expect(await get("a,".repeat(300))).toMatchObject({ status: 400, body: { code: "bad_pattern" } });
    expect(await get("x".repeat(1025))).toMatchObject({ status: 400, body: { code: "bad_pattern" } });
  });

  test("a burst of operations is served in turn, sixteen at once, the longest waiting first", async () => {
    const slots = new WorkSlots();
    let now = 0;
    let most = 0;
    const order: number[] = [];
    const work = (name: number) =>
      slots.during(async () => {
        order.push(name);
        most = Math.max(most, ++now);
        await Bun.sleep(0);
        now--;
      });
    await Promise.all(Array.from({ length: 128 }, (_, name) => work(name)));
    expect({ most, order }).toEqual({ most: 16, order: Array.from({ length: 128 }, (_, name) => name) });
  });

  test("an operation that finds no place for five seconds is 503 with Retry-After, and takes nobody's place after it", async () => {
    const clock = new ManualClock(0);
    const slots = new WorkSlots(clock);
    const ends: (() => void)[] = [];
    const running = Array.from({ length: 16 }, () => slots.during(() => new Promise<void>((end) => ends.push(end))));
    const outcome = slots.during(() => Promise.resolve()).catch((error: unknown) => error);
    await clock.advanceAndSettle(4_999);
    const later = slots.during(() => Promise.resolve("served"));
    await clock.advanceAndSettle(1);
    const refused = await outcome;
    expect(refused).toBeInstanceOf(SyncError);
    expect(refused).toMatchObject({ code: "server_busy", retryAfterMs: 5_000 });
    ends.shift()?.();
    expect(await later).toBe("served");
    for (const end of ends) end();
    await Promise.all(running);
    expect(await Promise.all(Array.from({ length: 16 }, () => slots.during(() => Promise.resolve(1))))).toHaveLength(
      16,
    );
  });

  test("operations of the API share the slots", async () => {
    const workspace = await createWorkspace({ "assets/a": "A" });
    let open: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (open = resolve));
    const asked = { times: 0 };
    workspace.wrap = (provider) => ({
      ...provider,
      get: async (...args: Parameters<typeof provider.get>) => {
        asked.times++;
        await held;
        return await provider.get(...args);
      },
    });
    const api = await serveWorkspace(workspace);
    const running = Array.from({ length: 16 }, (_, i) =>
      api.post("/api/sync/dry_run", { service: "s3", snapshot: `s${i}` }),
    );
    while (asked.times < 16) await Bun.sleep(5);
    const verify = () =>
      fetch(`${api.base}/api/backup/verify`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"name": "20200101T000000Z.zip"}',
      });
    const waiting = Array.from({ length: 113 }, verify);
    // As many as may wait do; the one too many is told at once.
    const response = await Promise.race(waiting);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toMatchObject({ code: "server_busy" });
    expect((await api.get("/api/health")).status).toBe(200);
    open();
    for (const { status } of await Promise.all(running)) expect(status).toBe(200);
    expect((await Promise.all(waiting)).filter((answer) => answer.status === 404)).toHaveLength(112);
  });
});
