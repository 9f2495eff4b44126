/** The proxy itself: what it passes on must be what was sent, and each fault must be the one it is called. */
import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo, connect } from "node:net";
import { FaultProxy } from "./fault-proxy.ts";
import { type Fault, FaultScript } from "./fault-script.ts";
import type { RequestClass } from "./s3-request.ts";

interface Store {
  readonly proxy: FaultProxy;
  /** `METHOD key body-length` of each request that was received in full. */
  readonly received: string[];
  connections: number;
}

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function startStore(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Store> {
  const received: string[] = [];
  const server: Server = createServer((request, response) => {
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
    });
    request.on("end", () => {
      received.push(`${request.method} ${request.url} ${length}`);
      answer(request, response);
    });
    request.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = new FaultProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await proxy.start();
  const store: Store = { proxy, received, connections: 0 };
  server.on("connection", () => store.connections++);
  open.push({
    close: async () => {
      await proxy.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return store;
}

const echoLength = (_: IncomingMessage, response: ServerResponse) => void response.end("stored");
const call = (store: Store, method: string, path: string, body?: Uint8Array<ArrayBuffer>) =>
  fetch(`${store.proxy.endpoint}${path}`, { method, ...(body === undefined ? {} : { body }) });

describe("what passes through", () => {
  test("requests on one kept connection stay apart, whatever delimits the bodies of their answers", async () => {
    const store = await startStore((request, response) => {
      if (request.url === "/b/chunked") {
        response.write("a".repeat(70_000));
        response.end("end");
      } else if (request.url === "/b/none") response.writeHead(204).end();
      else response.writeHead(200, { "content-length": "5" }).end(request.method === "HEAD" ? "" : "fixed");
    });
    // One connection by hand: fetch would open others.
    const socket = connect(Number(new URL(store.proxy.endpoint).port), "127.0.0.1");
    const paths = ["HEAD /b/fixed", "GET /b/chunked", "GET /b/none", "GET /b/fixed", "PUT /b/fixed"];
    for (const path of paths) {
      const body = path.startsWith("PUT") ? "x".repeat(200_000) : "";
      socket.write(`${path} HTTP/1.1\r\nhost: h\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    }
    let text = "";
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.split("HTTP/1.1 ").length === 6 && text.endsWith("fixed")) break;
    }
    socket.destroy();
    expect(store.received).toEqual([
      "HEAD /b/fixed 0",
      "GET /b/chunked 0",
      "GET /b/none 0",
      "GET /b/fixed 0",
      "PUT /b/fixed 200000",
    ]);
    expect(store.connections).toBe(1);
    expect(store.proxy.requests).toBe(5);
  });

  test("a body of 64 MB arrives whole and is counted", async () => {
    const store = await startStore(echoLength);
    const answer = await call(store, "PUT", "/b/key?partNumber=2&uploadId=u", new Uint8Array(64_000_000));
    expect(await answer.text()).toBe("stored");
    expect(store.received).toEqual(["PUT /b/key?partNumber=2&uploadId=u 64000000"]);
    expect(store.proxy.bytesUp).toBe(64_000_000);
    expect(store.proxy.sent.summary()).toMatchObject({ bytes: 64_000_000, bytesAgain: 0 });
  });

  test("a store that reads nothing is not read ahead for", async () => {
    const server = createTcpServer((socket) => void socket.pause());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new FaultProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await proxy.start();
    open.push({ close: () => proxy.close() }, { close: async () => void server.close() });
    const length = 256_000_000;
    const socket = connect(Number(new URL(proxy.endpoint).port), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(`PUT /b/key HTTP/1.1\r\nhost: h\r\ncontent-length: ${length}\r\n\r\n`);
    socket.write(new Uint8Array(length));
    let before = -1;
    while (proxy.bytesUp === 0 || proxy.bytesUp !== before) {
      before = proxy.bytesUp;
      await Bun.sleep(200);
    }
    // What the system's own buffers hold.
    expect(proxy.bytesUp).toBeLessThan(32_000_000);
    socket.destroy();
  });
});

describe("what the script does", () => {
  const put = (store: Store) => call(store, "PUT", "/b/key", new Uint8Array(1_000_000));
  const scripted = async (on: RequestClass, fault: Fault) => {
    const store = await startStore(echoLength);
    store.proxy.script = new FaultScript([{ on, nth: 1, fault }]);
    return store;
  };

  test("reset_before: the store sees nothing", async () => {
    const store = await scripted("small_put", { kind: "reset_before" });
    await expect(put(store)).rejects.toThrow();
    await put(store);
    expect(store.received).toEqual(["PUT /b/key 1000000"]);
  });

  test("reset_in_body: the store gets a part and no whole", async () => {
    const store = await scripted("small_put", { kind: "reset_in_body" });
    await expect(put(store)).rejects.toThrow();
    expect(store.received).toEqual([]);
    expect(store.proxy.bytesUp).toBe(500_000);
  });

  test("reset_after: the store has it, the client does not know", async () => {
    const store = await scripted("small_put", { kind: "reset_after" });
    await expect(put(store)).rejects.toThrow();
    expect(store.received).toEqual(["PUT /b/key 1000000"]);
    expect(store.proxy.sent.summary()).toMatchObject({ acknowledgedObjectsAgain: 0 });
  });

  test("stall: the store has it, and the client waits until it will not", async () => {
    const store = await scripted("small_put", { kind: "stall" });
    const answer = fetch(`${store.proxy.endpoint}/b/key`, {
      method: "PUT",
      body: new Uint8Array(10),
      signal: AbortSignal.timeout(300),
    });
    await expect(answer).rejects.toThrow("timed out");
    expect(store.received).toEqual(["PUT /b/key 10"]);
  });

  test("truncate: the answer's body ends early", async () => {
    const store = await scripted("get", { kind: "truncate" });
    const response = await call(store, "GET", "/b/key");
    expect(response.headers.get("content-length")).toBe("6");
    const text = await response.text().catch(() => "broken off");
    expect(["sto", "broken off"]).toContain(text);
  });

  test("a canned answer: the store sees nothing, and the connection stays", async () => {
    const store = await startStore(echoLength);
    const answers = ["slow_down", "slow_down_for_a_second", "login_page"] as const;
    store.proxy.script = new FaultScript(
      answers.map((answer, n) => ({ on: "small_put", nth: n + 1, fault: { kind: "answer", answer } })),
    );
    const got = [];
    for (let n = 0; n < 4; n++) {
      const response = await put(store);
      got.push([response.status, response.headers.get("retry-after"), (await response.text()).slice(0, 5)]);
    }
    expect(got).toEqual([
      [503, null, "<?xml"],
      [503, "1", "<?xml"],
      [200, null, "<!doc"],
      [200, null, "store"],
    ]);
    expect(store.received).toEqual(["PUT /b/key 1000000"]);
  });

  test("refuse: nobody gets in until it is over", async () => {
    const store = await scripted("small_put", { kind: "refuse", ms: 300 });
    await expect(put(store)).rejects.toThrow();
    await expect(put(store)).rejects.toThrow();
    await store.proxy.reopened();
    expect((await put(store)).status).toBe(200);
  });

  test("what was not met stays on the list", async () => {
    const store = await startStore(echoLength);
    store.proxy.script = new FaultScript([
      { on: "small_put", nth: 2, fault: { kind: "delay", ms: 1 } },
      { on: "list", nth: 1, fault: { kind: "stall" } },
    ]);
    await put(store);
    expect(store.proxy.script.fired).toEqual([]);
    await put(store);
    expect(store.proxy.script.fired.map(({ on }) => on)).toEqual(["small_put"]);
    expect(store.proxy.script.left.map(({ on }) => on)).toEqual(["list"]);
  });
});
