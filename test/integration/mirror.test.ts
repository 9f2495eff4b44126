/** The main job against a real S3 server: workspaces mirrored, cut off, taken up again, and checked by a foreign client. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { App } from "../../src/app.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { type CephRgw, cephRgw } from "../services/ceph-rgw.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

const TIMEOUT_MS = 240_000;
const PASSPHRASE = "integration";
const FLAGS = { enable_cloud_sync: true, enable_cloud_sync_s3: true };

const rgw = await cephRgw();
if (rgw !== undefined) mirrorTests(rgw);

interface Mirror {
  readonly root: string;
  readonly bucket: string;
  readonly app: App;
  write(path: string, content: string | Uint8Array): void;
}

function mirrorTests(server: CephRgw): void {
  const buckets: string[] = [];
  afterAll(async () => {
    for (const bucket of buckets) await server.removeBucket(bucket);
  }, TIMEOUT_MS);

  /** A workspace whose vault leads to a new bucket of `server`, by way of `endpoint`. */
  async function createMirror(endpoint = server.endpoint): Promise<Mirror> {
    const root = tempFolder();
    const bucket = await server.createBucket();
    buckets.push(bucket);
    const write = (path: string, content: string | Uint8Array) => {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), content);
    };
    write("config/comfyvn.json", JSON.stringify({ features: FLAGS }));
    const app = await App.open({
      platform: bunPlatform(),
      root,
      passphrase: () => PASSPHRASE,
      complain: () => undefined,
    });
    const s3 = { ...server.settingsFor(bucket), endpoint_url: endpoint, prefix: "dev" };
    await app.vault.create({ cloud_sync: { s3 } }, PASSPHRASE);
    return { root, bucket, app, write };
  }

  const dryRun = ({ app }: Mirror) => app.dryRun({ service: "s3", paths: ["assets", "models"] });
  const run = ({ app }: Mirror) => app.run({ service: "s3", paths: ["assets", "models"] });
  const counts = ({ plan }: Awaited<ReturnType<typeof dryRun>>) => [plan.files_to_upload, plan.files_to_delete];

  test(
    "a workspace of 3,000 small files and 4 of 200 MB arrives byte for byte, and changes are planned exactly",
    async () => {
      const mirror = await createMirror();
      for (let i = 0; i < 3_000; i++)
        mirror.write(`assets/${i % 50}/file ${i}+ü.png`, noise(2_000 + ((i * 127) % 38_000), i));
      for (let i = 0; i < 4; i++) mirror.write(`models/${i}.bin`, noise(200_000_000, i));
      expect(counts(await dryRun(mirror))).toEqual([3_004, 0]);
      const { summary } = await run(mirror);
      expect([summary.status, summary.uploads.length, summary.errors]).toEqual(["ok", 3_004, []]);
      for (const folder of ["assets", "models"]) await foreignCheck(server, mirror, folder);
      expect(counts(await dryRun(mirror))).toEqual([0, 0]);

      for (let i = 0; i < 3; i++) mirror.write(`assets/${i}/file ${i}+ü.png`, `changed ${i}`);
      mirror.write("assets/new file", "new");
      for (const i of [60, 61]) rmSync(join(mirror.root, `assets/${i % 50}/file ${i}+ü.png`));
      expect(counts(await dryRun(mirror))).toEqual([4, 2]);
      expect((await run(mirror)).summary).toMatchObject({ status: "ok", errors: [] });
      await foreignCheck(server, mirror, "assets");
      expect(counts(await dryRun(mirror))).toEqual([0, 0]);
    },
    TIMEOUT_MS,
  );

  test(
    "a server killed in the middle: partial with errors by file and nothing published; then only what is missing is sent",
    async () => {
      const proxy = new TcpProxy(new URL(server.endpoint));
      await proxy.start();
      const mirror = await createMirror(proxy.endpoint);
      for (let i = 0; i < 600; i++) mirror.write(`assets/${i}`, noise(20_000, i));
      proxy.onBytesUp = () => {
        if (proxy.bytesUp > 4_000_000) proxy.kill();
      };
      const { summary, committed } = await run(mirror);
      expect(summary.status).toBe("partial");
      expect(summary.uploads.length).toBeGreaterThan(0);
      expect(summary.errors.length + summary.uploads.length).toBe(600);
      expect(
        summary.errors.every(
          ({ action, path, code }) => action === "upload" && path !== "" && code === "provider_unreachable",
        ),
      ).toBe(true);
      expect(committed).toBe(false);
      expect(() => statSync(join(mirror.root, "cache/cloud/manifests"))).toThrow();

      proxy.onBytesUp = () => undefined;
      await proxy.start();
      expect(await keysOf(server, mirror.bucket)).not.toContain("dev/manifests/default.json");
      const before = proxy.bytesUp;
      const again = await run(mirror);
      expect(again.summary).toMatchObject({ status: "ok", errors: [] });
      // An object whose answer was lost with the connection may be sent once more, and no other.
      expect(again.summary.uploads.length).toBeLessThanOrEqual(summary.errors.length);
      expect(proxy.bytesUp - before).toBeLessThan(again.summary.uploads.length * 22_000 + 500_000);
      await foreignCheck(server, mirror, "assets");
      proxy.kill();
    },
    TIMEOUT_MS,
  );

  describe("a bucket laid out by the Python studio", () => {
    test("gives 0 uploads and 0 deletes on the same tree", async () => {
      const mirror = await createMirror();
      const files = { "assets/a.png": "A", "assets/é 😀.txt": "unicode", "models/m.bin": "M".repeat(100_000) };
      const entries: string[] = [];
      for (const [path, content] of Object.entries(files)) {
        mirror.write(path, content);
        const { mtimeMs } = statSync(join(mirror.root, path));
        const sha256 = new Bun.CryptoHasher("sha256").update(content).digest("hex");
        const size = Buffer.byteLength(content);
        // As json.dumps(indent=2) writes it, non-ASCII characters escaped.
        entries.push(
          `      ${ascii(path)}: {\n        "path": ${ascii(path)},\n        "size": ${size},\n        "mtime": ${mtimeMs / 1000},\n        "sha256": "${sha256}"\n      }`,
        );
        await put(server, mirror.bucket, `dev/default/${path}`, content);
      }
      const document = `{\n  "manifest": {\n    "name": "default",\n    "root": "/studio",\n    "created_at": "2025-11-18T04:05:06.789012+00:00",\n    "entries": {\n${entries.join(",\n")}\n    }\n  }\n}`;
      await put(server, mirror.bucket, "dev/manifests/default.json", document);
      expect(counts(await dryRun(mirror))).toEqual([0, 0]);
      expect((await run(mirror)).summary).toMatchObject({ status: "ok", uploads: [], deletes: [] });
    });
  });

  test("no object, manifest or log of a run holds the vault or a secret of it", async () => {
    const mirror = await createMirror();
    mirror.write("assets/a", "A");
    mirror.write("config/notes.txt", "N");
    expect((await mirror.app.run({ service: "s3", paths: ["config", "assets"] })).summary.status).toBe("ok");
    const keys = await keysOf(server, mirror.bucket);
    expect(keys).toContain("dev/default/config/notes.txt");
    expect(keys.filter((key) => key.includes("secrets"))).toEqual([]);
    expect(readFileSync(join(mirror.root, "logs/server.log"), "utf8")).not.toContain(server.secretAccessKey);
  });
}

/** Bytes that do not compress and differ by `seed`. */
function noise(length: number, seed: number): Uint8Array {
  const key = new Bun.CryptoHasher("sha256").update(`${seed}`).digest();
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += key.length) bytes.set(key.subarray(0, Math.min(key.length, length - at)), at);
  new DataView(bytes.buffer).setUint32(0, seed);
  return bytes;
}

function ascii(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

async function put(server: CephRgw, bucket: string, key: string, text: string): Promise<void> {
  await server.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: new TextEncoder().encode(text) }));
}

async function keysOf(server: CephRgw, bucket: string): Promise<string[]> {
  const { ListObjectsV2Command } = await import("@aws-sdk/client-s3");
  const { Contents = [] } = await server.client.send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key = "" }) => Key);
}

/** rclone reads every byte from both sides. */
async function foreignCheck(server: CephRgw, { root, bucket }: Mirror, folder: string): Promise<void> {
  const remote = `:s3,provider=Ceph,access_key_id=${server.accessKeyId},secret_access_key=${server.secretAccessKey},endpoint="${server.endpoint}":${bucket}/dev/default/${folder}`;
  const child = Bun.spawn(["rclone", "check", "--download", "--config", "/dev/null", join(root, folder), remote], {
    env: { PATH: process.env["PATH"] ?? "", HOME: root },
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await new Response(child.stderr).text();
  expect({ status: await child.exited, said: said.split("\n").filter((line) => line.includes("ERROR")) }).toEqual({
    status: 0,
    said: [],
  });
}
