import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serveWorkspace } from "../support/api-server.ts";
import { createWorkspace } from "../support/workspace.ts";
import { forgeZip } from "./zip-forge.ts";

describe("the samples of the notes, with every flag off", () => {
  test("create, list, verify and restore answer what they should", async () => {
    const workspace = await createWorkspace({ "assets/a.txt": "a", "data/b.txt": "b" });
    writeFileSync(join(workspace.root, "config/comfyvn.json"), "{}");
    const api = await serveWorkspace(workspace);

    const created = await api.post("/api/backup/create", { label: "pre-release", max_backups: 10 });
    expect(created.status).toBe(200);
    expect(Object.keys(created.body)).toEqual(
      expect.arrayContaining(["name", "path", "files", "bytes", "checksum", "removed"]),
    );
    expect(created.body).toMatchObject({ files: 3, removed: [], skipped: [] });
    const name = String(created.body["name"]);
    expect(existsSync(join(workspace.root, String(created.body["path"])))).toBe(true);

    const listed = await api.get("/api/backup");
    expect(listed.body["backups"]).toMatchObject([{ name, label: "pre-release" }]);
    expect((await api.post("/api/backup/verify", { name })).body).toMatchObject({ name, ok: true, files: 3 });

    workspace.remove("assets");
    const restored = await api.post("/api/backup/restore", { name, replace_existing: false });
    expect(restored.status).toBe(200);
    expect(restored.body).toEqual({
      name,
      restored: ["assets/a.txt"],
      skipped: ["config/comfyvn.json", "data/b.txt"],
      skipped_reasons: { exists: 2 },
    });
    const log = readFileSync(join(workspace.root, "logs/server.log"), "utf8");
    expect(log).toContain("backup.create");
    expect(log).toContain("backup.restore");
  });
});

test("requests that do not fit are refused, each with its status and code, and change nothing", async () => {
  const workspace = await createWorkspace({ "assets/a.txt": "a" });
  const api = await serveWorkspace(workspace);
  const cases: readonly (readonly [path: string, body: unknown, status: number, code: string])[] = [
    ["create", { unknown: 1 }, 422, "schema"],
    ["create", { max_backups: 0 }, 422, "schema"],
    ["create", { max_backups: 51 }, 422, "schema"],
    ["create", { max_backups: 1.5 }, 422, "schema"],
    ["create", { include: [] }, 422, "schema"],
    ["create", { label: "../x" }, 400, "backup_label"],
    ["create", { include: ["../x"] }, 400, "bad_path"],
    ["create", { include: ["/etc"] }, 400, "bad_path"],
    ["create", { include: ["nothing"] }, 409, "backup_empty"],
    ["restore", {}, 422, "schema"],
    ["restore", { name: "20200101T000000Z.zip", extra: 1 }, 422, "schema"],
    ["restore", { name: "../../x.zip" }, 400, "backup_name"],
    ["restore", { name: "%2e%2e/x.zip" }, 400, "backup_name"],
    ["restore", { name: "20200101T000000Z.zip" }, 404, "backup_missing"],
    ["restore", { name: "nothing.zip" }, 404, "backup_missing"],
    ["verify", { name: "/etc/passwd" }, 400, "backup_name"],
    ["verify", { name: "20200101T000000Z.zip" }, 404, "backup_missing"],
  ];
  for (const [path, body, status, code] of cases) {
    const answer = await api.post(`/api/backup/${path}`, body);
    expect({ path, body, status: answer.status, code: answer.body["code"] }).toEqual({ path, body, status, code });
    expect(answer.type).toBe("application/problem+json");
  }
  expect((await api.get("/api/backup/create")).status).toBe(405);
  expect((await api.post("/api/backup", {})).status).toBe(405);
  expect(existsSync(join(workspace.root, "backups/cloud"))).toBe(false);
});

test("two creates at the same time both succeed under different names", async () => {
  const workspace = await createWorkspace({ "assets/a.txt": "a" });
  const api = await serveWorkspace(workspace);
  const answers = await Promise.all([api.post("/api/backup/create", {}), api.post("/api/backup/create", {})]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(new Set(answers.map(({ body }) => body["name"])).size).toBe(2);
});

test("a hostile archive is a 422 that tells the rule and the entry", async () => {
  const workspace = await createWorkspace({});
  const api = await serveWorkspace(workspace);
  workspace.write("backups/cloud/20200101T000000Z.zip", forgeZip([{ name: "../evil", data: "x" }]));
  const answer = await api.post("/api/backup/restore", { name: "20200101T000000Z.zip" });
  expect(answer.status).toBe(422);
  expect(answer.body).toMatchObject({ code: "archive_invalid", entry: "../evil" });
});
