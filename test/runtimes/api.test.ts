import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SecretsVault } from "../../src/vault/secrets-vault.ts";
import { textVaultStorage } from "../../src/vault/text-vault-storage.ts";
import { startS3Server } from "../services/s3-server.ts";
import { rawHttp } from "../support/raw-http.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type RunningWorker, startWorker } from "./edge/workerd.ts";
import { RUNTIMES, type Started, startServer } from "./runtime.ts";

/** The API as a client sees it, from outside, on each way to run the program. */

const PASSPHRASE = "black box passphrase";
const FLAGS = ["enable_cloud_sync", "enable_cloud_sync_local", "enable_cloud_sync_s3"];

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: ApiBody;
}

/** What the tests look at, of whichever answer. */
interface ApiBody {
  readonly [name: string]: unknown;
  readonly summary?: {
    readonly status: string;
    readonly uploads: readonly unknown[];
    readonly deletes: readonly unknown[];
    readonly warnings?: readonly string[];
    readonly bytes_uploaded: number;
  };
  readonly name?: string;
  readonly hooks?: readonly { readonly name: string }[];
  readonly backups?: readonly { readonly name: string }[];
  readonly items?: readonly { readonly event: string }[];
  readonly paths?: Readonly<Record<string, { readonly post?: object }>>;
}

function client(base: () => string) {
  const call = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(base() + path, init);
    const text = await response.text();
    const type = response.headers.get("content-type") ?? "";
    return { status: response.status, type, body: type.includes("json") ? JSON.parse(text) : { text } };
  };
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    call(path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return { call, post };
}

/** What holds on every runtime, one without a file system too. */
function withoutFilesTests(call: ReturnType<typeof client>["call"], post: ReturnType<typeof client>["post"]): void {
  test("tells its health", async () => {
    const { status, body } = await call("/api/health");
    expect([status, body["status"], typeof body["uptime_s"]]).toEqual([200, "ok", "number"]);
  });

  test("answers what it does not know by problem+json", async () => {
    const unknown = await call("/api/nothing/here");
    const { status, type, body } = unknown;
    expect([status, type, body["code"]]).toEqual([404, "application/problem+json", "not_found"]);
    const method = await call("/api/sync/run");
    expect([method.status, method.body["code"]]).toEqual([405, "method_not_allowed"]);
    expect((await post("/api/health", {})).status).toBe(405);
  });

  test("describes itself to programs and to people", async () => {
    const { body } = await call("/openapi.json");
    expect([body["openapi"], typeof body.paths?.["/api/health"]]).toEqual(["3.1.0", "object"]);
    expect((await call("/docs")).type).toStartWith("text/html");
  });

  test("lists the hooks there are", async () => {
    const { status, body } = await call("/api/modder/hooks");
    expect(status).toBe(200);
    expect(body.hooks?.map(({ name }) => name)).toContain("on_cloud_sync_complete");
  });
}

for (const runtime of RUNTIMES) {
  describe(`the API on ${runtime.name}`, () => {
    const root = tempFolder();
    const nas = tempFolder();
    const home = tempFolder();
    let server: Started;
    let s3: Awaited<ReturnType<typeof startS3Server>>;

    const write = (path: string, content: string | Uint8Array) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    };
    const setFlags = (flags: readonly string[]) =>
      write(
        "config/comfyvn.json",
        JSON.stringify({
          features: Object.fromEntries(flags.map((name) => [name, true])),
          sync: { local: { path: nas } },
          hooks: { allow_private_targets: true },
        }),
      );
    const { call, post } = client(() => server.base);

    beforeAll(async () => {
      s3 = await startS3Server();
      s3.createBucket("studio");
      write("assets/script.rpy", "label start:\n");
      write(
        "assets/bilder/größe ☃.png",
        new Uint8Array(300_000).map((_, i) => i * 7),
      );
      write("assets/empty", "");
      for (let i = 0; i < 300; i++) write(`assets/many/${i}.txt`, `file ${i}`);
      utimesSync(join(root, "assets/script.rpy"), 1_731_912_306, 1_731_912_306);
      const storage = textVaultStorage();
      await new SecretsVault(storage).create({ cloud_sync: { s3: s3.settingsFor("studio") } }, PASSPHRASE);
      write("config/comfyvn.secrets.json", storage.text() ?? "");
      const command = await runtime.command(home, [root, nas]);
      server = await startServer([...command, "serve", "--root", root, "--port", "0"], {
        cwd: home,
        env: { COMFYVN_SECRETS_KEY: PASSPHRASE },
      });
    }, 120_000);

    afterAll(async () => {
      server?.child.kill("SIGKILL");
      await s3?.stop();
    });

    test("tells that it is well, and nothing of the vault's contents", async () => {
      const { status, body } = await call("/api/health");
      expect({ status, said: body["status"], vault: body["vault"] }).toEqual({
        status: 200,
        said: "ok",
        vault: { present: true, unlocked: true },
      });
    });

    test("refuses what no flag allows, and a flag counts from the next request", async () => {
      setFlags([]);
      const refused = await post("/api/sync/dry_run", { service: "local" });
      expect([refused.status, refused.type, refused.body["code"]]).toEqual([
        403,
        "application/problem+json",
        "feature_disabled",
      ]);
      setFlags(FLAGS);
      expect((await call("/api/sync/manifest?include=assets")).status).toBe(200);
    });

    test("records the same tree under the same digest as every runtime", async () => {
      const { body } = await call("/api/sync/manifest?include=assets");
      expect([body["entries"], body["bytes"], body["digest"]]).toEqual([
        303,
        302_303,
        "7f049fc8f82b1e790350a852e1d0266133055a2103950dc9e25c4fd69b36b0d3",
      ]);
    });

    test("mirrors to a folder: a dry run changes nothing, a run sends all, the next one nothing", async () => {
      const request = { service: "local", paths: ["assets"] };
      const planned = await post("/api/sync/dry_run", request);
      expect([planned.status, planned.body.summary?.uploads.length]).toEqual([200, 303]);
      expect(existsSync(join(nas, "default"))).toBe(false);
      const run = await post("/api/sync/run", request);
      expect([run.status, run.body.summary?.status, run.body.summary?.bytes_uploaded]).toEqual([200, "ok", 302_303]);
      expect(readFileSync(join(nas, "default/assets/bilder/größe ☃.png"))).toEqual(
        readFileSync(join(root, "assets/bilder/größe ☃.png")),
      );
      const again = await post("/api/sync/dry_run", request);
      expect([again.body.summary?.uploads, again.body.summary?.deletes]).toEqual([[], []]);
    });

    test("deletes at the destination what is gone, and refuses to delete nearly all", async () => {
      rmSync(join(root, "assets/many/0.txt"));
      const request = { service: "local", paths: ["assets"] };
      const run = await post("/api/sync/run", request);
      expect(run.body.summary?.deletes).toEqual(["assets/many/0.txt"]);
      rmSync(join(root, "assets/many"), { recursive: true });
      const guarded = await post("/api/sync/run", request);
      expect([guarded.status, guarded.body["code"]]).toEqual([409, "delete_guard"]);
      expect(existsSync(join(nas, "default/assets/many/1.txt"))).toBe(true);
    });

    test("mirrors to S3 with the vault's credentials", async () => {
      const request = { service: "s3", snapshot: "nightly", paths: ["assets"] };
      const run = await post("/api/sync/run", request);
      expect([run.status, run.body.summary?.status, run.body.summary?.uploads.length]).toEqual([200, "ok", 3]);
      const again = await post("/api/sync/dry_run", request);
      expect([again.body.summary?.uploads, again.body.summary?.warnings ?? []]).toEqual([[], []]);
      expect(
        s3.seen.some(({ operation, key }) => operation === "PutObject" && key === "nightly/assets/script.rpy"),
      ).toBe(true);
    });

    test("archives, verifies and restores, with the file's time", async () => {
      const created = await post("/api/backup/create", { label: "test", include: ["assets"] });
      expect([created.status, created.body["files"]]).toEqual([200, 3]);
      const { name } = created.body;
      expect((await call("/api/backup")).body.backups?.map((each) => each.name)).toEqual([name ?? ""]);
      expect((await post("/api/backup/verify", { name })).status).toBe(200);
      rmSync(join(root, "assets/script.rpy"));
      const restored = await post("/api/backup/restore", { name });
      expect([restored.status, restored.body["restored"]]).toEqual([200, ["assets/script.rpy"]]);
      expect(readFileSync(join(root, "assets/script.rpy"), "utf8")).toBe("label start:\n");
      expect(statSync(join(root, "assets/script.rpy")).mtimeMs).toBe(1_731_912_306_000);
    });

    test("sends hooks over WebSocket, and keeps them in the history", async () => {
      const socket = new WebSocket(`${server.base.replace("http", "ws")}/api/modder/hooks/ws`);
      const messages: { readonly event?: string }[] = [];
      const got = Promise.withResolvers<void>();
      socket.addEventListener("message", ({ data }) => {
        messages.push(JSON.parse(String(data)));
        if (messages.length === 1) void post("/api/sync/dry_run", { service: "local", paths: ["assets"] });
        if (messages.at(-1)?.event !== undefined) got.resolve();
      });
      socket.addEventListener("open", () => socket.send(JSON.stringify({ topics: ["on_cloud_sync_plan"] })));
      socket.addEventListener("error", () => got.reject(new Error("the WebSocket failed")));
      await got.promise;
      socket.close();
      expect(messages[0]).toMatchObject({ ok: true });
      expect(messages.at(-1)).toMatchObject({ event: "on_cloud_sync_plan", data: { service: "local" } });
      const { body } = await call("/api/modder/hooks/history?limit=5");
      expect(body.items?.map((each) => each.event)).toContain("on_cloud_sync_plan");
    });

    test("delivers hooks to a webhook, signed", async () => {
      const delivered = Promise.withResolvers<{ readonly body: string; readonly signature: string | null }>();
      const receiver = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        fetch: async (request) => {
          delivered.resolve({ body: await request.text(), signature: request.headers.get("x-comfy-signature") });
          return new Response();
        },
      });
      try {
        const url = `http://127.0.0.1:${receiver.port}/hook`;
        const added = await post("/api/modder/hooks/webhooks", { event: "on_cloud_sync_plan", url, secret: "shh" });
        expect([added.status, JSON.stringify(added.body).includes("shh")]).toEqual([200, false]);
        await post("/api/sync/dry_run", { service: "local", paths: ["assets"] });
        const { body, signature } = await delivered.promise;
        expect(JSON.parse(body)).toMatchObject({ event: "on_cloud_sync_plan" });
        expect(signature).toBe(createHmac("sha256", "shh").update(body).digest("hex"));
      } finally {
        await receiver.stop(true);
      }
    });

    test("streams hooks as Server-Sent Events", async () => {
      const stopping = new AbortController();
      const response = await fetch(`${server.base}/api/modder/hooks/stream`, { signal: stopping.signal });
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
      void post("/api/sync/dry_run", { service: "local", paths: ["assets"] });
      let text = "";
      for await (const chunk of response.body ?? []) {
        text += new TextDecoder().decode(chunk);
        if (text.includes("on_cloud_sync_plan")) break;
      }
      stopping.abort();
      expect(text).toMatch(/^data: .*"event":"on_cloud_sync_plan"/m);
    });

    test("upgrades no WebSocket of a foreign page", async () => {
      const { host } = new URL(server.base);
      const answer = await rawHttp(
        Number(host.split(":")[1]),
        `GET /api/modder/hooks/ws HTTP/1.1\r\nHost: ${host}\r\nOrigin: https://evil.example\r\nUpgrade: websocket\r\n` +
          "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
      expect(answer).toStartWith("HTTP/1.1 403");
    });

    test("takes JSON by its exact media type alone, of no foreign origin", async () => {
      const body = JSON.stringify({ service: "local" });
      const typed = await post("/api/sync/dry_run", body, { "content-type": "text/plain; jx=1" });
      expect([typed.status, typed.body["code"]]).toEqual([415, "unsupported_media_type"]);
      const foreign = await post("/api/sync/dry_run", body, { origin: "https://evil.example" });
      expect([foreign.status, foreign.body["code"]]).toEqual([403, "forbidden_origin"]);
    });

    const host = "evil.example";
    for (const [hazard, head] of [
      ["a foreign Host", `GET /api/health HTTP/1.1\r\nHost: ${host}\r\n`],
      ["two Hosts", `GET /api/health HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: ${host}\r\n`],
      ["an absolute target", `GET http://${host}/api/health HTTP/1.1\r\nHost: ${host}\r\n`],
    ] as const) {
      test(`answers nobody who asks with ${hazard}`, async () => {
        const port = new URL(server.base).port;
        const answer = await rawHttp(Number(port), `${head.replaceAll("PORT", port)}Connection: close\r\n\r\n`);
        expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      });
    }

    test("answers a request that does not fit without repeating its values", async () => {
      const field = await post("/api/sync/run", { service: "local", canary_field: "canary" });
      expect([field.status, field.body["code"]]).toEqual([422, "schema"]);
      expect(JSON.stringify(field.body)).not.toContain("canary");
      const path = await post("/api/sync/dry_run", { service: "local", paths: ["../etc"] });
      expect([path.status, path.body["code"]]).toEqual([400, "bad_path"]);
    });

    test("offers every operation in its description", async () => {
      const { body } = await call("/openapi.json");
      expect(typeof body.paths?.["/api/sync/run"]?.post).toBe("object");
    });

    withoutFilesTests(call, post);

    // The last one: the server is gone afterwards.
    test("ends with status 0 when it is told, and has printed one line", async () => {
      const { status, stdout } = await server.stop();
      expect([status, stdout]).toEqual([0, `listening on ${server.base}\n`]);
      expect(server.said()).toBe("");
    });
  });
}

describe("the API in workerd", () => {
  const folder = tempFolder();
  let worker: RunningWorker;
  const { call, post } = client(() => worker.base);

  beforeAll(async () => {
    worker = await startWorker("src/edge.ts", folder);
  }, 60_000);
  afterAll(() => worker?.stop());

  withoutFilesTests(call, post);

  for (const [method, path] of [
    ["GET", "/api/sync/manifest"],
    ["POST", "/api/sync/run"],
    ["POST", "/api/backup/create"],
    ["GET", "/api/modder/hooks/stream"],
    ["GET", "/api/modder/hooks/ws"],
    ["POST", "/api/modder/hooks/webhooks"],
  ] as const) {
    test(`says that it cannot ${method} ${path}`, async () => {
      const { status, type, body } = await call(path, { method });
      expect([status, type, body["code"]]).toEqual([501, "application/problem+json", "needs_file_system"]);
    });
  }

  test("lets nobody in without the token where there is one", async () => {
    const guarded = await startWorker("src/edge.ts", tempFolder(), { COMFYVN_API_TOKEN: "edge-token" });
    try {
      const { call: callGuarded } = client(() => guarded.base);
      expect((await callGuarded("/api/health")).status).toBe(401);
      const headers = { authorization: "Bearer edge-token" };
      expect((await callGuarded("/api/health", { headers })).status).toBe(200);
    } finally {
      await guarded.stop();
    }
  });
});
