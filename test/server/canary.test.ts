/**
 * One server with a secret in every place that may hold one, every route called in every wrong way, far sides that send
 * back what they were sent: then every byte that was answered, said, written or mirrored is searched.
 */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CliChild, cliWorkspace, lineOf } from "../cli/cli-process.ts";
import { CANARY, canariesIn, leaksBelow } from "./canaries.ts";

const JSON_TYPE = { "content-type": "application/json" };
const LISTENING = /^listening on /;

interface Operations {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly requestBody?: RequestBody }>>>>;
}

interface RequestBody {
  readonly content: Readonly<
    Record<string, { readonly example?: unknown; readonly examples?: Record<string, { value: unknown }> }>
  >;
}

/** Everything that the server answered. */
class Asker {
  readonly #base: string;
  readonly texts: string[] = [];
  readonly statuses = new Map<number, number>();

  constructor(base: string) {
    this.#base = base;
  }

  async ask(
    method: string,
    path: string,
    init: { body?: string; headers?: Record<string, string> } = {},
  ): Promise<string> {
    const headers = { authorization: `Bearer ${CANARY.apiToken}`, ...init.headers };
    const signal = AbortSignal.timeout(60_000);
    const response = await fetch(this.#base + path, { method, redirect: "manual", ...init, headers, signal });
    // A stream of events has no end.
    const streams = response.headers.get("content-type") === "text/event-stream";
    if (streams) await response.body?.cancel();
    const text = `${response.status} ${JSON.stringify([...response.headers])} ${streams ? "" : await response.text()}`;
    this.texts.push(text);
    this.statuses.set(response.status, (this.statuses.get(response.status) ?? 0) + 1);
    return text;
  }

  post(path: string, body: unknown): Promise<string> {
    return this.ask("POST", path, { headers: JSON_TYPE, body: JSON.stringify(body) });
  }
}

/** Sends back all that it was sent, as a far side may in its errors. */
function echoServer(): Bun.Server<undefined> {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const sent = `${JSON.stringify([...request.headers])} ${request.url} ${await request.text()} ${JSON.stringify(CANARY)}`;
      return new Response(`<Error><Code>AccessDenied</Code><Message>${sent}</Message></Error>`, {
        status: 403,
        headers: { "content-type": "application/xml", location: `http://${CANARY.userinfo}@127.0.0.1/` },
      });
    },
  });
}

function vaultPayload(port: number, mirror: string): object {
  const keys = {
    bucket: "bucket",
    region: "us-east-1",
    path_style: true,
    aws_access_key_id: CANARY.accessKey,
    aws_secret_access_key: CANARY.secretKey,
    aws_session_token: CANARY.sessionToken,
  };
  const key = `-----BEGIN PRIVATE KEY-----\n${CANARY.privateKey}\n-----END PRIVATE KEY-----\n`;
  const account = {
    type: "service_account",
    client_email: "x@y.example",
    private_key_id: CANARY.privateKey,
    private_key: key,
  };
  return {
    cloud_sync: {
      s3: { ...keys, endpoint_url: `http://127.0.0.1:${port}` },
      userinfo: { ...keys, endpoint_url: `http://user:${CANARY.userinfo}@127.0.0.1:${port}` },
      nonsense: { ...keys, endpoint_url: `no address ${CANARY.userinfo}`, bucket: CANARY.secretKey },
      gdrive: { parent_id: "folder", credentials: { ...account, token_uri: `http://127.0.0.1:${port}/token` } },
      broken: { parent_id: "folder", credentials: CANARY.privateKey },
      local: { path: mirror },
    },
  };
}

/** What each operation of the API can be sent: its examples, and each wrong thing there is. */
async function everyRoute(asker: Asker): Promise<number> {
  const document = await asker.ask("GET", "/openapi.json");
  const { paths } = JSON.parse(document.slice(document.indexOf("] {") + 2)) as Operations;
  const junk = `${CANARY.secretKey} ${CANARY.webhookSecret}`;
  let operations = 0;
  for (const [path, methods] of Object.entries(paths)) {
    for (const [name, { requestBody }] of Object.entries(methods)) {
      operations++;
      const method = name.toUpperCase();
      const headers = { authorization: `Bearer ${CANARY.wrongToken}` };
      await asker.ask(method, path, { headers });
      await asker.ask(method, path, { headers: { authorization: `Basic ${btoa(CANARY.wrongToken)}` } });
      await asker.ask(method, path, { headers: { origin: `https://${CANARY.userinfo}.example` } });
      await asker.ask(method, `${path}?${CANARY.wrongToken}=${CANARY.wrongToken}&limit=${CANARY.wrongToken}`);
      if (method === "GET") {
        await asker.ask(method, path);
        continue;
      }
      for (const { example, examples } of Object.values(requestBody?.content ?? {})) {
        const bodies = [example, ...Object.values(examples ?? {}).map(({ value }) => value)];
        for (const body of bodies.filter((each) => each !== undefined)) {
          await asker.ask(method, path, { headers: JSON_TYPE, body: JSON.stringify(body) });
          await asker.ask(method, path, {
            headers: JSON_TYPE,
            body: JSON.stringify({ ...Object(body), [junk]: junk }),
          });
          const wrong = Object.fromEntries(Object.keys(Object(body)).map((field) => [field, junk]));
          await asker.ask(method, path, { headers: JSON_TYPE, body: JSON.stringify(wrong) });
        }
      }
      await asker.ask(method, path, { headers: JSON_TYPE, body: `{"${junk}": ` });
      await asker.ask(method, path, { headers: { "content-type": `text/plain; x=${CANARY.wrongToken}` }, body: junk });
    }
  }
  await asker.ask("GET", `/${CANARY.wrongToken}`);
  return operations;
}

async function everyDestination(asker: Asker): Promise<void> {
  for (const action of ["dry_run", "run"]) {
    const path = `/api/sync/${action}`;
    for (const key of ["s3", "userinfo", "nonsense", "absent", CANARY.secretKey]) {
      await asker.post(path, { service: "s3", paths: ["assets"], credentials_key: `cloud_sync.${key}` });
    }
    for (const key of ["gdrive", "broken"]) {
      await asker.post(path, { service: "gdrive", paths: ["assets"], credentials_key: `cloud_sync.${key}` });
    }
    // All of the workspace, the webhooks' file included as far as any include can.
    await asker.post(path, {
      service: "local",
      paths: ["assets", "config", "data", "logs", "cache"],
      credentials_key: "cloud_sync.local",
    });
    await asker.post(path, { service: "s3", service_config: { endpoint_url: `http://${CANARY.userinfo}@x` } });
  }
  const backup = await asker.post("/api/backup/create", { include: ["assets", "config", "data", "logs", "cache"] });
  const name = /"name":"([^"]+)"/.exec(backup)?.[1] ?? "";
  await asker.post("/api/backup/verify", { name });
  await asker.post("/api/backup/restore", { name, replace_existing: true });
  await asker.post("/api/backup/restore", { name: `${CANARY.secretKey}.zip` });
}

async function everyWebhook(asker: Asker, port: number): Promise<void> {
  const path = "/api/modder/hooks/webhooks";
  const url = `http://127.0.0.1:${port}/hook`;
  const events = ["on_cloud_sync_plan", "on_cloud_sync_complete"];
  for (const event of events) await asker.post(path, { event, url, secret: CANARY.webhookSecret });
  await asker.post(path, { event: "on_backup_created", url, secret: CANARY.keyedSecret });
  await asker.post(path, { event: "on_backup_created", url, secret: `whsec_${CANARY.webhookSecret}!` });
  await asker.post(path, { event: "on_backup_created", url: `http://u:${CANARY.webhookUserinfo}@127.0.0.1:${port}/` });
  await asker.post(path, { event: CANARY.webhookSecret, url: CANARY.webhookSecret, secret: CANARY.webhookSecret });
  // What the vault holds, in a payload.
  await asker.post("/api/modder/hooks/test", { event: events[0], payload: { snapshot: `x ${CANARY.secretKey} y` } });
  await asker.post("/api/modder/hooks/test", { event: events[0], payload: { password: CANARY.wrongToken } });
}

async function settled(asker: Asker): Promise<void> {
  for (let turn = 0; turn < 100; turn++) {
    const attempts = await asker.ask("GET", "/api/modder/hooks/webhooks/attempts");
    if (attempts.includes('"failure":"webhook_url"') && attempts.includes('"failure":"status"')) return;
    await Bun.sleep(100);
  }
  throw new Error("the webhooks were never tried");
}

test("security 5: no secret is in any answer, line, event, file, archive or mirror", async () => {
  const workspace = cliWorkspace();
  const far = echoServer();
  const port = far.port ?? 0;
  const mirror = join(workspace.other, "mirror");
  mkdirSync(mirror);
  const flags = ["", "_s3", "_gdrive", "_local"].map((name) => [`enable_cloud_sync${name}`, true]);
  const hooks = { allow_private_targets: true };
  workspace.write("config/comfyvn.json", JSON.stringify({ features: Object.fromEntries(flags), hooks }));
  workspace.write("assets/hero.png", "a picture");
  workspace.write("data/save.json", "{}");
  // As the studio may have left it.
  const studio = [
    {
      event: "on_cloud_sync_plan",
      url: `http://user:${CANARY.webhookUserinfo}@127.0.0.1:${port}/`,
      secret: CANARY.webhookSecret,
    },
  ];
  workspace.write("data/webhooks.json", JSON.stringify(studio));
  const env = { COMFYVN_SECRETS_KEY: CANARY.passphrase };
  const imported = await workspace.call(["vault", "import", "-"], {
    env,
    stdin: JSON.stringify(vaultPayload(port, mirror)),
  });
  expect(imported.status).toBe(0);
  const shown = await workspace.call(["vault", "show"], { env });
  expect(canariesIn(imported.stdout + imported.stderr + shown.stdout + shown.stderr)).toEqual([]);

  const said = { out: "", err: "" };
  let asker: Asker | undefined;
  let operations = 0;
  try {
    await workspace.during(
      ["serve", "--port", "0"],
      async (child) => {
        const address = (await lineOf(child, LISTENING)).slice("listening on ".length);
        asker = new Asker(address);
        await everyDestination(asker);
        await everyWebhook(asker, port);
        operations = await everyRoute(asker);
        await settled(asker);
        await ended(child, said);
      },
      { env: { ...env, COMFYVN_API_TOKEN: CANARY.apiToken } },
    );
  } finally {
    await far.stop(true);
  }
  expect(operations).toBeGreaterThan(15);
  // It did reach what it was after: successes, refusals of each kind, and far sides that failed.
  for (const status of [200, 400, 401, 403, 415, 422, 502]) expect(asker?.statuses.get(status) ?? 0).toBeGreaterThan(0);

  expect(asker?.texts.filter((text) => canariesIn(text).length > 0) ?? []).toEqual([]);
  expect(canariesIn(said.out + said.err)).toEqual([]);
  // The studio reads its webhooks' secrets there; it is the one place.
  expect(leaksBelow(workspace.root, (path) => path === join("data", "webhooks.json"))).toEqual([]);
  expect(leaksBelow(workspace.other, () => false)).toEqual([]);
  const names = readdirSync(mirror, { recursive: true }).map(String);
  expect(names.some((name) => name.endsWith("hero.png"))).toBe(true);
  expect(names.filter((name) => /webhooks|secrets/.test(name))).toEqual([]);
  // The log did have something to hide.
  expect(readFileSync(join(workspace.root, "logs/server.log"), "utf8")).toContain("webhook.failed");
}, 120_000);

async function ended(child: CliChild, said: { out: string; err: string }): Promise<void> {
  child.kill("SIGTERM");
  const [out, err] = await Promise.all([Array.fromAsync(child.stdout), new Response(child.stderr).text()]);
  said.out = Buffer.concat(out).toString();
  said.err = err;
  expect(await child.exited).toBe(0);
}
