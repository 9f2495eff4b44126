/** The curl samples of the studio's notes, as they are written there, against the real program, an S3 server and the Drive fake. */
import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cliWorkspace, lineOf, PASSPHRASE } from "../cli/cli-process.ts";
import { DriveFake } from "../fakes/drive/drive-fake.ts";
import { S3Server } from "../services/s3-server.ts";

const DRY_RUN = `
    curl -X POST "$BASE_URL/api/sync/dry_run" \\
      -H 'Content-Type: application/json' \\
      -d '{
        "service": "s3",
        "snapshot": "nightly",
        "paths": ["assets", "config"],
        "credentials_key": "cloud_sync.s3",
        "service_config": {"bucket": "studio-nightly", "prefix": "dev"}
      }'`;
const RUN = `
    curl -X POST "$BASE_URL/api/sync/run" \\
      -H 'Content-Type: application/json' \\
      -d '{
        "service": "gdrive",
        "snapshot": "milestone-12",
        "credentials_key": "cloud_sync.gdrive",
        "service_config": {
          "parent_id": "<drive-folder>",
          "manifest_parent_id": "<manifest-folder>"
        }
      }'`;
const BACKUP_CREATE = `
    curl -X POST "$BASE_URL/api/backup/create" \\
      -H 'Content-Type: application/json' \\
      -d '{"label": "pre-release", "max_backups": 10}'`;
const BACKUP_RESTORE = `
    curl -X POST "$BASE_URL/api/backup/restore" \\
      -H 'Content-Type: application/json' \\
      -d '{"name": "20251215T080530Z-pre-release.zip", "replace_existing": false}'`;

const s3 = new S3Server({});
await s3.listen();
s3.createBucket("studio-nightly");
const fake = await DriveFake.start(0);
afterAll(async () => {
  await s3.stop();
  await fake.stop();
});

describe("the samples of the notes", () => {
  test("pass as they are written, with their placeholders filled", async () => {
    const { write, root, during, unlocked } = cliWorkspace();
    write("assets/hero.png", "hero");
    write("config/ui.json", "{}");
    const features = ["", "_s3", "_gdrive"].map((name) => [`enable_cloud_sync${name}`, true]);
    write("config/comfyvn.json", JSON.stringify({ features: Object.fromEntries(features) }));
    const gdrive = { parent_id: fake.drive.id, scopes: "drive", credentials: fake.account.file };
    const payload = { cloud_sync: { s3: s3.settingsFor("studio-nightly"), gdrive } };
    expect((await unlocked(["vault", "init"])).status).toBe(0);
    expect((await unlocked(["vault", "import", "-"], { stdin: JSON.stringify(payload) })).stderr).not.toContain(
      "error",
    );
    const env = { COMFYVN_SECRETS_KEY: PASSPHRASE, COMFYVN_TEST_DRIVE_URL: fake.url };
    await during(
      ["serve", "--port", "0"],
      async (server) => {
        const base = (await lineOf(server, /^listening on /)).replace("listening on ", "");
        const sent = async (sample: string) => {
          const child = Bun.spawn(["bash", "-c", sample], {
            env: { PATH: process.env["PATH"] ?? "", BASE_URL: base, no_proxy: "127.0.0.1" },
            stdin: "ignore",
            stdout: "pipe",
            stderr: "ignore",
          });
          const text = await new Response(child.stdout).text();
          expect(await child.exited).toBe(0);
          return JSON.parse(text) as Record<string, unknown>;
        };

        const dryRun = await sent(DRY_RUN);
        expect(Object.keys(dryRun)).toEqual(["manifest", "plan", "summary", "remote_manifest"]);
        expect(dryRun["summary"]).toMatchObject({ service: "s3", snapshot: "nightly", status: "dry_run", errors: [] });
        expect(dryRun["plan"]).toMatchObject({ files_to_upload: 3 });

        const filled = RUN.replaceAll(/<(drive|manifest)-folder>/g, fake.drive.id);
        const run = await sent(filled);
        expect(run["summary"]).toMatchObject({ service: "gdrive", snapshot: "milestone-12", status: "ok" });
        expect(run["committed"]).toBe(true);

        const created = await sent(BACKUP_CREATE);
        const name = String(created["name"]);
        expect(name).toMatch(/^\d{8}T\d{6}Z-pre-release\.zip$/);
        expect(created).toMatchObject({ path: `backups/cloud/${name}`, files: 3, removed: [] });

        expect(await sent(BACKUP_RESTORE)).toMatchObject({ status: 404, code: "backup_missing" });
        rmSync(join(root, "assets"), { recursive: true });
        const restored = await sent(BACKUP_RESTORE.replace("20251215T080530Z-pre-release.zip", name));
        expect(restored).toMatchObject({ name, restored: ["assets/hero.png"] });
        expect(readFileSync(join(root, "assets/hero.png"), "utf8")).toBe("hero");
      },
      { env },
    );
  }, 120_000);
});
