import { describe, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { App } from "../../src/app.ts";
import { createApi } from "../../src/server/api.ts";
import type { OpenApiDocument } from "../../src/server/openapi/document.ts";
import { problemResponse } from "../../src/server/problem.ts";
import { checker } from "../../src/server/validate.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { serveWorkspace } from "../support/api-server.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { createWorkspace } from "../support/workspace.ts";

async function routerOf() {
  const app = await App.open({
    platform: bunPlatform(),
    root: tempFolder(),
    passphrase: () => undefined,
    complain: () => undefined,
  });
  app.close();
  return createApi(app, new AbortController().signal, problemResponse);
}

async function documentOf(): Promise<OpenApiDocument> {
  const api = await serveWorkspace(await createWorkspace());
  return (await api.get("/openapi.json")).body as unknown as OpenApiDocument;
}

describe("/openapi.json", () => {
  test("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate({ ...(await documentOf()) });
    expect(errors ?? []).toEqual([]);
    expect([valid, validator.version]).toEqual([true, "3.1"]);
  });

  test("has every route that is registered, and no other", async () => {
    const router = await routerOf();
    const registered = router.elysia.routes.map(({ method, path }) => `${method} ${path}`);
    const { paths } = await documentOf();
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.toSorted()).toEqual(registered.toSorted());
    expect(new Set(registered).size).toBe(registered.length);
  });

  test("has examples that its own schemas take", async () => {
    const { operations } = await routerOf();
    for (const { id, query, body, answer, examples } of operations) {
      if (query !== undefined) expect({ id, query: checker(query)(examples.query) }).toBeTruthy();
      if (body !== undefined) expect({ id, body: checker(body)(examples.body) }).toBeTruthy();
      if (answer !== undefined) expect({ id, answer: checker(answer)(examples.answer) }).toBeTruthy();
    }
  });

  test("gives each failure of an operation its code, status and example", async () => {
    const { paths } = await documentOf();
    const run = paths["/api/sync/run"]?.["post"];
    const statuses = Object.keys(run?.responses ?? {}).toSorted();
    expect(statuses).toEqual(
      ["200", "400", "401", "403", "408", "409", "413", "415", "422", "423", "429", "500", "502", "503"].toSorted(),
    );
    expect(run?.responses["423"]?.content?.["application/problem+json"]?.examples).toMatchObject({
      vault_locked: { value: { type: "urn:comfyvn:problem:vault_locked", status: 423, code: "vault_locked" } },
    });
  });
});

describe("/docs", () => {
  test("shows every operation of the document, and loads and runs nothing", async () => {
    const api = await serveWorkspace(await createWorkspace());
    const response = await fetch(`${api.base}/docs`);
    const page = await response.text();
    for (const methods of Object.values((await documentOf()).paths)) {
      for (const { operationId, summary } of Object.values(methods)) {
        expect(page).toContain(`<article id="${operationId}">`);
        expect(page).toContain(summary.replaceAll("'", "&#39;"));
      }
    }
    expect(page).not.toMatch(/<script|<link|<img|<iframe|src=|url\(|@import|\son\w+=/i);
    expect([...page.matchAll(/href="([^"]*)"/g)].map(([, href]) => href?.charAt(0))).not.toContain("h");
  });

  test("allows its own style by hash and nothing else", async () => {
    const api = await serveWorkspace(await createWorkspace());
    const response = await fetch(`${api.base}/docs`);
    const style = /<style>([\s\S]*)<\/style>/.exec(await response.text())?.[1] ?? "";
    const hash = new Bun.CryptoHasher("sha256").update(style).digest("base64");
    const policy = response.headers.get("content-security-policy");
    expect(policy).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
  });
});
