/** The real server in a process of its own, asked by curl as the notes have it, with the Drive fake in Google's place. */
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { App } from "../../../src/app.ts";
import { bunPlatform } from "../../../src/platform/bun/bun-platform.ts";
import type { DriveFake } from "../../fakes/drive/drive-fake.ts";
import { startFake } from "../../fakes/start-fake.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { DriveDestination } from "./drive-destination.ts";

const MAIN = resolve(import.meta.dir, "../../../src/main.ts");
const PASSPHRASE = "drive server";
const TIMEOUT_MS = 60_000;

/** Of a run or a dry run. */
interface Answer {
  readonly summary: { readonly status: string; readonly uploads: unknown[]; readonly deletes: unknown[] };
  readonly manifest: { readonly entries: number };
  readonly plan: { readonly files_to_upload: number; readonly files_to_delete: number };
}

interface Served {
  readonly root: string;
  /** Runs the notes' command, with the ids of the fake's folders and what `changes` says. */
  readonly curl: (route: "run" | "dry_run", changes?: object) => Promise<Answer>;
  readonly log: () => string;
}

/** Starts the server over `files`, hands it to `use`, and ends it whatever happened. */
async function during(
  fake: DriveFake,
  files: Readonly<Record<string, string>>,
  use: (served: Served) => Promise<void>,
): Promise<void> {
  const folder = tempFolder();
  const root = join(folder, "workspace");
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  for (const [path, content] of Object.entries(files)) write(path, content);
  const features = { enable_cloud_sync: true, enable_cloud_sync_gdrive: true };
  write("config/comfyvn.json", JSON.stringify({ features }));
  // With the scope that is the default, which shows the app's own folders.
  const made = { madeBy: fake.account.app };
  const [parent, manifests] = [
    fake.addFolder({ name: "files", ...made }),
    fake.addFolder({ name: "manifests", ...made }),
  ];
  await createVault(root, { parent_id: parent.id, manifest_parent_id: manifests.id, credentials: fake.account.file });
  const env = {
    PATH: "/usr/bin:/bin",
    HOME: folder,
    TMPDIR: folder,
    COMFYVN_SECRETS_KEY: PASSPHRASE,
    COMFYVN_TEST_DRIVE_URL: fake.url,
  };
  const server = Bun.spawn([process.execPath, MAIN, "serve", "--port", "0"], {
    cwd: root,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  try {
    const [, base = ""] = /^listening on (\S+)/.exec(await firstLine(server.stdout)) ?? [];
    const config = { parent_id: parent.id, manifest_parent_id: manifests.id };
    const request = { service: "gdrive", snapshot: "milestone-12", credentials_key: "cloud_sync.gdrive" };
    const curl = async (route: string, changes: object = {}) => {
      const body = JSON.stringify({ ...request, service_config: config, ...changes });
      const answer = await output(["curl", "-s", "-X", "POST", `${base}/api/sync/${route}`, ...JSON_TYPE, "-d", body]);
      return JSON.parse(answer) as Answer;
    };
    await use({ root, curl, log: () => readFileSync(join(root, "logs/server.log"), "utf8") });
  } finally {
    server.kill("SIGKILL");
    await server.exited;
  }
}

const JSON_TYPE = ["-H", "Content-Type: application/json"];

async function createVault(root: string, gdrive: object): Promise<void> {
  const app = await App.open({
    platform: bunPlatform(),
    root,
    passphrase: () => PASSPHRASE,
    complain: () => undefined,
  });
  await app.vault.create({ cloud_sync: { gdrive } }, PASSPHRASE);
  app.close();
}

async function output(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  return await new Response(child.stdout).text();
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of stream) {
    text += new TextDecoder().decode(piece);
    if (text.includes("\n")) break;
  }
  return text;
}

/** Text by path of one snapshot, as Drive holds it. */
function mirrored(fake: DriveFake, snapshot: string): Record<string, string> {
  const [folder] = [...fake.store.files()].filter(({ name }) => name === "files");
  const destination = new DriveDestination(fake, folder?.id ?? "", snapshot);
  destination.requireNoDuplicates();
  const texts = [...destination.objects()].map(([path, files]) => [
    path,
    new TextDecoder().decode(files[0]?.content?.bytes),
  ]);
  return Object.fromEntries(texts) as Record<string, string>;
}

test(
  "the notes' curl mirrors a workspace, and the next dry run has nothing to do",
  async () => {
    const fake = await startFake();
    await during(fake, { "assets/a.png": "A", "scripts/deep/b.rpy": "B" }, async ({ curl, log }) => {
      const { summary, manifest } = await curl("run");
      expect(summary).toMatchObject({ status: "ok", errors: [], snapshot: "milestone-12" });
      const files = mirrored(fake, "milestone-12");
      expect(files).toMatchObject({ "assets/a.png": "A", "scripts/deep/b.rpy": "B" });
      expect(Object.keys(files).length).toBe(manifest.entries);
      const { plan } = await curl("dry_run");
      expect([plan.files_to_upload, plan.files_to_delete]).toEqual([0, 0]);
      fake.log.clear();
      expect((await curl("run")).summary).toMatchObject({ status: "ok", uploads: [] });
      expect(fake.log.calls).toBeLessThanOrEqual(3);
      fake.assertNothingRefused();
      const told = [summary, manifest, plan].map((each) => JSON.stringify(each)).join("\n") + log();
      for (const secret of fake.secrets) expect(told.includes(secret)).toBe(false);
    });
  },
  TIMEOUT_MS,
);

test(
  "names with quotes, backslashes and emoji and paths of 300 bytes are kept apart, for each snapshot, and found again",
  async () => {
    const fake = await startFake();
    const paths = [
      "assets/it's.txt",
      "assets/its.txt",
      'assets/"quoted".txt',
      "assets/back\\slash.txt",
      "assets/back\\'both.txt",
      "assets/🎭 mask.txt",
      "assets/Mask.txt",
      "assets/mask.txt",
      "assets/e\u0301.txt",
      "assets/\u00e9.txt",
      `assets/${"ü".repeat(100)}/${"long".repeat(22)}.txt`,
      `assets/${"ü".repeat(100)}/${"long".repeat(22)}.tx`,
      "assets/one/same.txt",
      "assets/two/same.txt",
    ];
    const files = Object.fromEntries(paths.map((path, at) => [path, `content ${at}`]));
    await during(fake, files, async ({ root, curl }) => {
      const only = { paths: ["assets"] };
      expect((await curl("run", only)).summary).toMatchObject({ status: "ok", errors: [] });
      expect(mirrored(fake, "milestone-12")).toEqual(files);
      for (const path of paths.slice(0, 5)) rmSync(join(root, path));
      const kept = Object.fromEntries(Object.entries(files).slice(5));
      expect((await curl("run", { ...only, snapshot: "nightly" })).summary).toMatchObject({ status: "ok" });
      expect([mirrored(fake, "milestone-12"), mirrored(fake, "nightly")]).toEqual([files, kept]);
      // Without anything that this machine remembers.
      rmSync(join(root, "cache"), { recursive: true });
      const { plan } = await curl("dry_run", { ...only, snapshot: "nightly" });
      expect([plan.files_to_upload, plan.files_to_delete]).toEqual([0, 0]);
      const { summary } = await curl("run", { ...only, confirm_deletes: true });
      expect(summary).toMatchObject({ status: "ok", uploads: [], deletes: paths.slice(0, 5).toSorted() });
      expect([mirrored(fake, "milestone-12"), mirrored(fake, "nightly")]).toEqual([kept, kept]);
      fake.assertNothingRefused();
    });
  },
  TIMEOUT_MS,
);
