/** What the document promises is what the server does: each route, each field of its answers, each code of its failures. */
import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorsOf, type Operation } from "../../src/api/operation.ts";
import type { AppOptions } from "../../src/app.ts";
import { SyncError } from "../../src/core/errors.ts";
import { Router } from "../../src/server/router.ts";
import { createApi } from "../../src/server/api.ts";
import { openApiDocument } from "../../src/server/openapi/document.ts";
import { ProblemSchema } from "../../src/server/openapi/problem-schema.ts";
import { problemResponse } from "../../src/server/problem.ts";
import { checker } from "../../src/server/validate.ts";
import { serveWorkspace } from "../support/api-server.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";
import { forgeZip } from "../backup/zip-forge.ts";

async function operations(): Promise<readonly Operation[]> {
  const app = await (await createWorkspace()).app();
  app.close();
  return createApi(app, new AbortController().signal, problemResponse).operations;
}

const OPERATIONS = await operations();
const byRoute = new Map(OPERATIONS.map((each) => [`${each.method} ${each.path}`, each]));

describe("each documented failure", () => {
  const { paths } = openApiDocument(OPERATIONS);
  const cases = OPERATIONS.flatMap((operation) => errorsOf(operation).map((code) => ({ operation, code })));

  test.each(cases)("$operation.id: $code has its documented status and shape", async ({ operation, code }) => {
    const router = new Router(new AbortController().signal, problemResponse);
    const { id, method, path, tag, summary } = operation;
    const failing = { id, method, path, tag, summary, errors: [], examples: {} };
    router.on({ ...failing, other: { status: 200, description: "" } }, () => {
      throw new SyncError(code, "what happened");
    });
    const response = await router.elysia.handle(new Request(`http://127.0.0.1${path}`, { method }));
    const problem = checker(ProblemSchema)(await response.json());
    expect(problem).toMatchObject({ code, status: response.status, type: `urn:comfyvn:problem:${code}` });
    const documented = paths[path]?.[method.toLowerCase()]?.responses[String(response.status)];
    expect(documented?.content?.["application/problem+json"]?.examples).toHaveProperty(code);
  });
});

/** `plan.uploads[].path` for each member of a JSON value. */
function membersOf(value: unknown, prefix = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => membersOf(item, `${prefix}[]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    const name = prefix === "" ? key : `${prefix}.${key}`;
    return [name, ...membersOf(item, name)];
  });
}

/** The same for each member that a schema knows. */
function schemaMembers(schema: unknown, prefix = ""): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties = {}, items, anyOf = [] } = schema as { properties?: object; items?: unknown; anyOf?: unknown[] };
  const own = Object.entries(properties).flatMap(([key, value]: [string, unknown]) => {
    const name = prefix === "" ? key : `${prefix}.${key}`;
    return [name, ...schemaMembers(value, name)];
  });
  return [...own, ...schemaMembers(items, `${prefix}[]`), ...anyOf.flatMap((each) => schemaMembers(each, prefix))];
}

describe("answers of real requests", () => {
  /** Members that were seen, by operation. */
  const seen = new Map<string, Set<string>>();

  async function clientOf(workspace: Workspace, options: Partial<AppOptions> = {}) {
    const api = await serveWorkspace(workspace, options);
    return async (route: string, body?: unknown, search = ""): Promise<Record<string, unknown>> => {
      const [method = "", path = ""] = route.split(" ");
      const response = await fetch(api.base + path + search, {
        method,
        ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      });
      const answer = (await response.json()) as Record<string, unknown>;
      expect({ route, status: response.status, answer }).toMatchObject({ route, status: 200 });
      const operation = byRoute.get(route);
      if (operation?.answer === undefined) throw new Error(`${route} is not described`);
      checker(operation.answer)(answer);
      seen.set(operation.id, (seen.get(operation.id) ?? new Set()).union(new Set(membersOf(answer))));
      return answer;
    };
  }

  const TREE = { "assets/a.png": "A", "assets/b.png": "B", "docs/c.md": "C", "data/d.json": "D" };
  const S3 = { service: "s3" };

  test("health, with a sound config file and a damaged one", async () => {
    const workspace = await createWorkspace(TREE);
    const call = await clientOf(workspace);
    expect(await call("GET /api/health")).toMatchObject({ vault: { present: true, unlocked: true } });
    workspace.write("config/comfyvn.json", "{");
    expect(await call("GET /api/health")).toMatchObject({ features: null, config: { code: "config_malformed" } });
  });

  test("manifest, dry run and run: skipped files, copies, deletes, the guard, errors, a stub", async () => {
    const workspace = await createWorkspace(TREE);
    symlinkSync("a.png", join(workspace.root, "assets/link.png"));
    const call = await clientOf(workspace);
    await call("GET /api/sync/manifest", undefined, "?detail=entries&include=assets");
    await call("POST /api/sync/dry_run", S3);
    await call("POST /api/sync/run", S3);
    workspace.remove("docs");
    workspace.write("assets/moved.png", "A");
    workspace.write("assets/b.png", "changed");
    await call("POST /api/sync/dry_run", S3);
    workspace.wrap = (provider) => ({
      ...provider,
      put: (...args: Parameters<typeof provider.put>) =>
        args[0].endsWith("/b.png")
          ? Promise.reject(new SyncError("provider_denied", "scripted"))
          : provider.put(...args),
    });
    const partial = await call("POST /api/sync/run", { ...S3, confirm_deletes: true });
    expect(partial["summary"]).toMatchObject({ status: "partial" });
    workspace.wrap = (provider) => provider;
    await call("POST /api/sync/run", { ...S3, confirm_deletes: true });
    const missing = new SyncError("sdk_missing", "install it");
    const without = await clientOf(workspace, { loadProvider: () => Promise.reject(missing) });
    await without("POST /api/sync/dry_run", S3);
  });

  test("backups: rotated, listed, verified whole and damaged, restored with each reason to skip", async () => {
    const workspace = await createWorkspace(TREE);
    symlinkSync("a.png", join(workspace.root, "assets/link.png"));
    const call = await clientOf(workspace);
    await call("POST /api/backup/create", { label: "first" });
    const created = await call("POST /api/backup/create", { max_backups: 1 });
    const name = String(created["name"]);
    await call("GET /api/backup");
    await call("POST /api/backup/verify", { name });
    workspace.remove("data");
    workspace.write("assets/a.png", "other");
    await call("POST /api/backup/restore", { name });
    await call("POST /api/backup/restore", { name, replace_existing: true });
    await call("POST /api/backup/restore", { name, paths: ["not-in-it"] });
    const forged = "20200101T000000Z.zip";
    writeFileSync(
      join(workspace.root, "backups/cloud", forged),
      forgeZip([
        { name: "assets/extra.txt", data: "x" },
        { name: ".env", data: "x" },
      ]),
    );
    await call("POST /api/backup/restore", { name: forged });
    const damaged = readFileSync(join(workspace.root, "backups/cloud", name));
    writeFileSync(join(workspace.root, "backups/cloud/20200102T000000Z.zip"), damaged.subarray(0, -30));
    await call("POST /api/backup/verify", { name: "20200102T000000Z.zip" });
  });

  test("hooks and webhooks, with one that fails and one that waits", async () => {
    const workspace = await createWorkspace(TREE);
    workspace.write("config/comfyvn.json", JSON.stringify({ hooks: { allow_private_targets: true } }));
    const receiver = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("", { status: 500 }) });
    afterAll(() => receiver.stop(true));
    const call = await clientOf(workspace);
    const hook = { event: "on_cloud_sync_complete", url: `http://127.0.0.1:${receiver.port}/hook` };
    await call("POST /api/modder/hooks/webhooks", { ...hook, secret: "a secret" });
    await call("POST /api/modder/hooks/test", { event: hook.event, payload: { status: "ok" } });
    await call("GET /api/modder/hooks/webhooks");
    await call("GET /api/modder/hooks");
    await call("GET /api/modder/hooks/history", undefined, "?limit=5");
    let attempts: unknown[] = [];
    while (attempts.length === 0) {
      attempts = (await call("GET /api/modder/hooks/webhooks/attempts"))["items"] as unknown[];
    }
    await call("GET /api/modder/hooks/webhooks/pending", undefined, "?limit=5");
    workspace.write(
      "config/comfyvn.json",
      JSON.stringify({ hooks: { allow_private_targets: true, webhook_attempts_max: 1 } }),
    );
    let dead: unknown[] = [];
    while (dead.length === 0) {
      await Bun.sleep(20);
      dead = (await call("GET /api/modder/hooks/webhooks/dead", undefined, "?limit=5"))["items"] as unknown[];
    }
    await call("POST /api/modder/hooks/webhooks/redeliver", {});
    await call("DELETE /api/modder/hooks/webhooks", hook);
    workspace.write("data/webhooks.json", "{");
    await call("GET /api/modder/hooks");
  });

  /** Interop's change has them; the list of what stays as it is does without. */
  const LEFT_OUT = /^(dryRunSync|runSync): (plan\.unchanged|summary\.skipped)\[\]\.(sha256|reason)$/;

  test("have shown every operation, and every member that the document knows", () => {
    const unseen = OPERATIONS.flatMap(({ id, answer }) =>
      answer === undefined
        ? []
        : [...new Set(schemaMembers(answer))]
            .filter((name) => seen.get(id)?.has(name) !== true)
            .map((name) => `${id}: ${name}`),
    ).filter((name) => !LEFT_OUT.test(name));
    expect(unseen).toEqual([]);
  });
});
