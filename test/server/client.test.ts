import { expect, test } from "bun:test";
import { ApiClient, ApiError, createBackup, dryRunSync, getManifest, runSync } from "../../src/mod.ts";
import { serveWorkspace } from "../support/api-server.ts";
import { createWorkspace } from "../support/workspace.ts";

test("the typed client calls what the document describes, and throws what the server refuses", async () => {
  const api = await serveWorkspace(await createWorkspace({ "assets/a.png": "A", "docs/b.md": "B" }));
  const client = new ApiClient({ baseUrl: `${api.base}/` });
  const { plan } = await client.call(dryRunSync, { body: { service: "s3", paths: ["assets"] } });
  expect(plan.uploads.map(({ path }) => path)).toEqual(["assets/a.png"]);
  const { summary } = await client.call(runSync, { body: { service: "s3", paths: ["assets"] } });
  expect(summary.status).toBe("ok");
  const { entries } = await client.call(getManifest, { query: { include: "assets,docs", exclude: "*.md" } });
  expect(entries).toBe(1);
  const refused: unknown = await client
    .call(createBackup, { body: { label: "../x" } })
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ApiError);
  expect(refused).toMatchObject({ status: 400, code: "backup_label", problem: { title: "Bad Request" } });
});

test("the typed client sends the token it has", async () => {
  const seen: (string | null)[] = [];
  const client = new ApiClient({
    baseUrl: "http://studio.example:8001",
    token: "a-token",
    fetch: async (_url, init) => {
      seen.push(new Headers(init.headers).get("authorization"));
      return Response.json({ backups: [] });
    },
  });
  const { listBackups } = await import("../../src/mod.ts");
  expect(await client.call(listBackups, {})).toEqual({ backups: [] });
  expect(seen).toEqual(["Bearer a-token"]);
});
