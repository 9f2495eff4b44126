import { afterAll, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { serveWorkspace } from "../support/api-server.ts";
import { createWorkspace } from "../support/workspace.ts";

const PATH = "/api/modder/hooks/webhooks";
const COMPLETE = "on_cloud_sync_complete";
const SECRET = "a secret of the receiver";

interface Received {
  readonly body: string;
  readonly headers: Headers;
}

async function workspaceWithReceiver() {
  const received: Received[] = [];
  const receiver = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      received.push({ body: await request.text(), headers: request.headers });
      return new Response();
    },
  });
  afterAll(() => receiver.stop(true));
  const workspace = await createWorkspace({ "assets/a.png": "A" });
  const config = join(workspace.root, "config/comfyvn.json");
  const settings = JSON.parse(readFileSync(config, "utf8")) as object;
  workspace.write("config/comfyvn.json", JSON.stringify({ ...settings, hooks: { allow_private_targets: true } }));
  const api = await serveWorkspace(workspace);
  const url = `http://127.0.0.1:${receiver.port}/in`;
  const arrived = async (count: number): Promise<void> => {
    for (let turn = 0; turn < 500 && received.length < count; turn++) await Bun.sleep(10);
    expect(received).toHaveLength(count);
  };
  const remove = async (body: object): Promise<unknown> => {
    const headers = { "content-type": "application/json" };
    return await (await fetch(api.base + PATH, { method: "DELETE", headers, body: JSON.stringify(body) })).json();
  };
  return { workspace, api, url, received, arrived, remove };
}

test("a run's end arrives with the envelope of the studio, and both signatures verify", async () => {
  const { api, url, received, arrived } = await workspaceWithReceiver();
  const { body } = await api.post(PATH, { event: COMPLETE, url, secret: SECRET });
  expect(body).toMatchObject({ ok: true, webhook: { event: COMPLETE, url, signed: true } });
  await api.post("/api/sync/run", { service: "s3" });
  await arrived(1);
  const [delivery] = received;
  if (delivery === undefined) throw new Error("nothing arrived");
  const data = { service: "s3", snapshot: "default", uploads: 2, deletes: 0, skipped: 0, status: "ok" };
  const envelope: unknown = JSON.parse(delivery.body);
  expect(envelope).toEqual({
    event: COMPLETE,
    ts: expect.any(Number),
    data: { ...data, timestamp: expect.any(Number) },
  });
  const expected = createHmac("sha256", SECRET).update(delivery.body).digest("hex");
  expect(delivery.headers.get("x-comfy-signature")).toBe(expected);
  const webhook = new Webhook(new TextEncoder().encode(SECRET), { format: "raw" });
  expect(webhook.verify(delivery.body, Object.fromEntries(delivery.headers))).toEqual(envelope);
});

test("listed everywhere without the secret, which is only in the studio's file; gone after DELETE", async () => {
  const { workspace, api, url, received, arrived, remove } = await workspaceWithReceiver();
  await api.post(PATH, { event: COMPLETE, url, secret: SECRET });
  await api.post(PATH, { event: "on_backup_created", url });
  const [own, all] = [await api.get(PATH), await api.get("/api/modder/hooks")];
  expect(own.body["webhooks"]).toMatchObject([{ signed: true }, { signed: false }]);
  expect(all.body["webhooks"]).toEqual(own.body["webhooks"]);
  expect(own.text + all.text).not.toContain(SECRET);
  expect(JSON.parse(readFileSync(join(workspace.root, "data/webhooks.json"), "utf8"))).toEqual([
    { event: COMPLETE, url, secret: SECRET },
    { event: "on_backup_created", url, secret: "" },
  ]);
  expect(await remove({ event: COMPLETE, url })).toEqual({ ok: true, removed: 1 });
  expect(await remove({ event: COMPLETE, url })).toEqual({ ok: true, removed: 0 });
  await api.post("/api/modder/hooks/test", { event: COMPLETE });
  await api.post("/api/modder/hooks/test", { event: "on_backup_created" });
  await arrived(1);
  expect(received[0]?.headers.has("x-comfy-signature")).toBe(false);
});

test("a damaged file of the studio is 503 for webhooks and keeps no one from listing the events", async () => {
  const { workspace, api } = await workspaceWithReceiver();
  workspace.write("data/webhooks.json", "[{");
  expect(await api.get(PATH)).toMatchObject({ status: 503, body: { code: "webhooks_malformed" } });
  const all = await api.get("/api/modder/hooks");
  expect(all).toMatchObject({ status: 200, body: { webhooks: [], webhooks_problem: { code: "webhooks_malformed" } } });
  expect((all.body["hooks"] as unknown[]).length).toBeGreaterThan(0);
});
