import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bunFor, TARGETS } from "../../scripts/build/targets.ts";
import { cephRgw } from "../services/ceph-rgw.ts";
import { startS3Server } from "../services/s3-server.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { compiledFile, PROJECT, startServer } from "./runtime.ts";

/** A studio's machine: the one file in an empty folder, no node_modules above it, no Bun to be found. */
const PATH = "/usr/bin:/bin";
const PASSPHRASE = "one file passphrase";

const folder = tempFolder();

beforeAll(async () => {
  renameSync(await compiledFile(folder), join(folder, "comfyvn-sync"));
}, 120_000);

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = Bun.spawn([join(folder, "comfyvn-sync"), ...args], {
    cwd,
    env: { PATH, HOME: cwd, COMFYVN_SECRETS_KEY: PASSPHRASE, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { status, stdout, stderr };
}

/** Sets a workspace up, serves it, and mirrors, archives and restores over the API. @returns its root */
async function wholeWay(
  service: string,
  init: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const root = tempFolder();
  mkdirSync(join(root, "assets/many"), { recursive: true });
  writeFileSync(
    join(root, "assets/big.bin"),
    new Uint8Array(3_000_000).map((_, i) => i * i),
  );
  // Enough for the hashing and the Deflate threads to be worth starting.
  for (let i = 0; i < 400; i++) writeFileSync(join(root, `assets/many/${i}.txt`), `line ${i}\n`.repeat(200));
  const made = await run(root, ["init", "--service", service, ...init, "--json"], env);
  expect({ status: made.status, stderr: made.stderr }).toMatchObject({ status: 0 });
  const server = await startServer([join(folder, "comfyvn-sync"), "serve", "--port", "0"], {
    cwd: root,
    env: { PATH, COMFYVN_SECRETS_KEY: PASSPHRASE },
  });
  try {
    const post = async (path: string, body: object) => {
      const response = await fetch(server.base + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return (await response.json()) as Answer;
    };
    const request = { service, snapshot: "nightly", paths: ["assets"] };
    expect((await post("/api/sync/dry_run", request)).summary?.uploads).toHaveLength(401);
    expect((await post("/api/sync/run", request)).summary).toMatchObject({ status: "ok", errors: [] });
    expect((await post("/api/sync/dry_run", request)).summary?.uploads).toEqual([]);
    const { name } = await post("/api/backup/create", { include: ["assets"] });
    const lost = readFileSync(join(root, "assets/big.bin"));
    rmSync(join(root, "assets/big.bin"));
    expect((await post("/api/backup/restore", { name })).restored).toEqual(["assets/big.bin"]);
    expect(readFileSync(join(root, "assets/big.bin")).equals(lost)).toBe(true);
    expect(await server.stop()).toEqual({ status: 0, stdout: `listening on ${server.base}\n` });
    return root;
  } finally {
    server.child.kill("SIGKILL");
  }
}

interface Answer {
  readonly summary?: {
    readonly status: string;
    readonly uploads: readonly unknown[];
    readonly errors: readonly unknown[];
  };
  readonly name?: string;
  readonly restored?: readonly string[];
}

/** Keys as `init` takes them from the environment of a script. */
function keys({ accessKeyId, secretAccessKey }: { readonly accessKeyId: string; readonly secretAccessKey: string }) {
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
}

describe("the compiled file alone", () => {
  test("sets up, serves, mirrors to a folder, archives and restores", async () => {
    const nas = tempFolder();
    await wholeWay("local", ["--folder", nas], {});
    expect(readdirSync(join(nas, "nightly/assets/many"))).toHaveLength(400);
  }, 60_000);

  test("does the same to an S3 store, with the AWS SDK inside it", async () => {
    const s3 = await startS3Server();
    try {
      const bucket = s3.createBucket("studio");
      await wholeWay("s3", ["--bucket", "studio", "--endpoint-url", s3.endpoint, "--credentials-from-env"], keys(s3));
      expect([...bucket.objects.keys()].filter((key) => key.startsWith("nightly/assets/"))).toHaveLength(401);
    } finally {
      await s3.stop();
    }
  }, 60_000);

  test("loads Google's library from inside it", async () => {
    const root = tempFolder();
    const key = {
      type: "service_account",
      client_email: "a@b.example",
      private_key: "no key",
      token_uri: "http://127.0.0.1:9",
    };
    writeFileSync(join(root, "key.json"), JSON.stringify(key));
    const made = [
      "init",
      "--service",
      "gdrive",
      "--parent-id",
      "folder",
      "--credentials-file",
      "key.json",
      "--no-dry-run",
    ];
    expect(await run(root, made)).toMatchObject({ status: 0 });
    const { status, stderr } = await run(root, ["run", "--service", "gdrive", "--json"]);
    expect(status).toBe(1);
    expect(stderr).not.toContain("not installed");
    expect(stderr).not.toContain("[internal]");
  }, 60_000);

  test("reads no bunfig.toml, .env, tsconfig.json or package.json of the folder it is started in", async () => {
    const root = tempFolder();
    writeFileSync(join(root, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
    writeFileSync(join(root, "preload.ts"), 'require("node:fs").writeFileSync("preloaded", "");');
    writeFileSync(join(root, ".env"), "COMFYVN_ROOT=/nowhere/at/all\n");
    writeFileSync(join(root, "tsconfig.json"), "{ not json");
    writeFileSync(join(root, "package.json"), "{ not json");
    const { status, stderr } = await run(root, ["manifest", "--json"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(existsSync(join(root, "preloaded"))).toBe(false);
  });

  test("leaves nothing in the folder it lies in", () => {
    expect(readdirSync(folder)).toEqual(["comfyvn-sync"]);
  });
});

const rgw = await cephRgw();
if (rgw !== undefined) {
  test("the compiled file alone does the same to Ceph", async () => {
    const bucket = await rgw.createBucket();
    try {
      const flags = ["--bucket", bucket, "--endpoint-url", rgw.endpoint, "--credentials-from-env"];
      await wholeWay("s3", flags, keys(rgw));
    } finally {
      await rgw.removeBucket(bucket);
    }
  }, 120_000);
}

test("a target is built offline only with its own Bun", () => {
  const offline = TARGETS.filter((target) => bunFor(target, PROJECT) !== undefined).map(({ name }) => name);
  expect(offline.length).toBeGreaterThan(0);
  for (const target of TARGETS) {
    const bun = bunFor(target, PROJECT);
    expect(bun === undefined || bun === process.execPath || bun.includes(target.package)).toBe(true);
  }
});
