import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startS3Server } from "../services/s3-server.ts";
import { type CliWorkspace, cliWorkspace, lineOf } from "./cli-process.ts";

const SECRET = "s3cr3t-value-of-the-tests";

const server = await startS3Server();
afterAll(() => server.stop());

/** A workspace with three assets, mirrored to the folder `other` without any vault. */
function localWorkspace(features = { enable_cloud_sync: true, enable_cloud_sync_local: true }): CliWorkspace {
  const workspace = cliWorkspace();
  workspace.write("config/comfyvn.json", JSON.stringify({ features, sync: { local: { path: workspace.other } } }));
  workspace.write("assets/bg/forest.png", "forest");
  workspace.write("assets/bg/road.png", "road and more");
  workspace.write("assets/title.txt", "title");
  return workspace;
}

/** The same answer at another moment. */
function timeless(json: string): unknown {
  return JSON.parse(json, (key, value: unknown) => (key === "created_at" ? "" : value));
}

async function api(base: string, path: string, body?: unknown): Promise<string> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return await (await fetch(`${base}/api/sync/${path}`, body === undefined ? {} : init)).text();
}

test("--json is what the API answers, for plan, manifest and an error", async () => {
  const workspace = localWorkspace();
  const [plan, manifest, refused] = await Promise.all([
    workspace.call(["plan", "--service", "local", "--json", "assets"]),
    workspace.call(["manifest", "--json", "--include", "assets", "--exclude", "*.txt,*.tmp", "--detail", "entries"]),
    workspace.call(["plan", "--service", "s3", "--json"]),
  ]);
  await workspace.during(["serve", "--port", "0"], async (child) => {
    const base = (await lineOf(child, /^listening on /)).slice("listening on ".length);
    const answer = await api(base, "dry_run", { service: "local", paths: ["assets"] });
    expect(timeless(plan.stdout)).toEqual(timeless(answer));
    const query = "manifest?include=assets&exclude=*.txt,*.tmp&detail=entries";
    expect(timeless(manifest.stdout)).toEqual(timeless(await api(base, query)));
    expect(JSON.parse(refused.stdout)).toEqual(JSON.parse(await api(base, "dry_run", { service: "s3" })));
  });
  expect([plan.status, manifest.status, refused.status]).toEqual([0, 0, 1]);
  expect([plan.stderr, manifest.stderr]).toEqual(["", ""]);
  expect(refused.stderr).toMatch(/^error: features\.enable_cloud_sync_s3 is off[^\n]* \[feature_disabled\]\n$/);
});

test("a plan names counts, sizes and files by folder, and changes nothing", async () => {
  const workspace = localWorkspace();
  const { status, stdout, stderr } = await workspace.call(["plan", "--service", "local"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("uploads    4 files,");
  expect(stdout).toContain(
    "assets/bg/          2   19 B\n  forest.png             6 B\n  road.png              13 B\n",
  );
  expect(readdirSync(workspace.other)).toEqual([]);
  expect(existsSync(join(workspace.root, "cache/cloud/manifests"))).toBe(false);
});

test("a run mirrors, and the plan after it has nothing to do", async () => {
  const workspace = localWorkspace();
  const run = await workspace.call(["run", "--service", "local", "--snapshot", "nightly"]);
  expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: "" });
  expect(run.stdout).toStartWith("ok: snapshot nightly on local");
  expect(readFileSync(join(workspace.other, "nightly/assets/bg/road.png"), "utf8")).toBe("road and more");
  const plan = await workspace.call(["plan", "--service", "local", "--snapshot", "nightly", "--json"]);
  expect(JSON.parse(plan.stdout).plan).toMatchObject({ files_to_upload: 0, files_to_delete: 0, files_unchanged: 4 });
});

test("every flag of a run reaches the engine", async () => {
  const workspace = localWorkspace();
  const destination = ["--service", "local", "--prefix", "studio/dev", "--no-commit-manifest", "--json"];
  const scope = ["--path", "assets/title.txt", "assets/bg", "--exclude", "*.tmp", "--exclude", "*road*"];
  const { status, stdout } = await workspace.call(["run", ...destination, ...scope, "--follow-symlinks", "--rehash"]);
  expect(status).toBe(0);
  const { committed, summary, manifest } = JSON.parse(stdout);
  expect(committed).toBe(false);
  expect(summary.uploads).toEqual(["assets/bg/forest.png", "assets/title.txt"]);
  expect(manifest).toMatchObject({ include: ["assets/bg", "assets/title.txt"], exclude: ["*.tmp", "*road*"] });
  expect(existsSync(join(workspace.other, "studio/dev/default/assets/bg/forest.png"))).toBe(true);
  expect(existsSync(join(workspace.root, "cache/cloud/manifests/local/default.json"))).toBe(false);
});

test("deletes beyond the guard need --confirm-deletes, which the error names", async () => {
  const workspace = localWorkspace();
  for (let index = 0; index < 30; index++) workspace.write(`assets/many/${index}.txt`, `${index}`);
  await workspace.call(["run", "--service", "local"]);
  rmSync(join(workspace.root, "assets/many"), { recursive: true });
  const plan = await workspace.call(["plan", "--service", "local"]);
  expect(plan.status).toBe(0);
  expect(plan.stdout).toContain("a run would be refused: it would delete 30 of 34 remote files");
  const refused = await workspace.call(["run", "--service", "local"]);
  expect({ status: refused.status, stdout: refused.stdout }).toEqual({ status: 1, stdout: "" });
  expect(refused.stderr).toMatch(/^error: [^\n]*--confirm-deletes\) \[delete_guard\]\n$/);
  const confirmed = await workspace.call(["run", "--service", "local", "--confirm-deletes"]);
  expect(confirmed.status).toBe(0);
  expect(confirmed.stdout).toContain("deleted    30 files");
});

test("a flag that is off is named, and nothing is sent", async () => {
  const workspace = localWorkspace({ enable_cloud_sync: true, enable_cloud_sync_local: false });
  for (const command of ["plan", "run"]) {
    const { status, stdout, stderr } = await workspace.call([command, "--service", "local"]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("features.enable_cloud_sync_local is off");
  }
  expect(readdirSync(workspace.other)).toEqual([]);
});

test("a malformed config file is an error with its place, never all flags on", async () => {
  const workspace = localWorkspace();
  workspace.write("config/comfyvn.json", '{"features": {"enable_cloud_sync": true,,}}');
  for (const args of [["manifest"], ["plan", "--service", "local"], ["run", "--service", "local"]]) {
    const { status, stdout, stderr } = await workspace.call(args);
    expect({ args, status, stdout }).toEqual({ args, status: 1, stdout: "" });
    expect(stderr).toMatch(/^error: config\/comfyvn\.json [^\n]*line 1, column \d+[^\n]*\[config_malformed\]\n$/);
  }
});

test("a file name cannot send escape sequences to the terminal", async () => {
  const workspace = localWorkspace();
  workspace.write("assets/\u001b[31mred\u202e.png", "x");
  const { stdout } = await workspace.call(["plan", "--service", "local"]);
  expect(stdout).toContain("\\x1b[31mred\\u202e.png");
  expect(stdout).not.toContain("\u001b");
});

test("a reader that has seen enough is no error", async () => {
  const workspace = localWorkspace();
  for (let index = 0; index < 2_000; index++) workspace.write(`assets/many/${index}-${"long".repeat(20)}.txt`, "");
  await workspace.during(["manifest", "--detail", "entries"], async (child) => {
    const reader = child.stdout.getReader();
    await reader.read();
    await reader.cancel();
    const stderr = await new Response(child.stderr).text();
    expect({ status: await child.exited, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

describe("with a vault and an S3 server", () => {
  let buckets = 0;

  /** A workspace whose vault leads to a new bucket. */
  async function s3Workspace() {
    const name = `studio-${++buckets}`;
    const bucket = server.createBucket(name);
    const workspace = localWorkspace();
    await workspace.call(["flags", "enable", "s3"]);
    const payload = { cloud_sync: { s3: { ...server.settingsFor(name), aws_session_token: SECRET } } };
    await workspace.unlocked(["vault", "import", "-"], { stdin: JSON.stringify(payload) });
    return { workspace, bucket };
  }

  test("the passphrase opens the way, and no credential shows", async () => {
    const { workspace, bucket } = await s3Workspace();
    const results = await Promise.all([
      workspace.call(["plan", "--service", "s3"]),
      workspace.call(["plan", "--service", "s3"], { env: { COMFYVN_SECRETS_KEY: "wrong" } }),
      workspace.unlocked(["plan", "--service", "s3", "--credentials-key", "cloud_sync.nothing"]),
    ]);
    expect(results.map(({ status, stderr }) => [status, /\[(\w+)\]/.exec(stderr)?.[1]])).toEqual([
      [1, "vault_locked"],
      [1, "vault_wrong_passphrase"],
      [1, "credentials_missing"],
    ]);
    const run = await workspace.unlocked(["run", "--service", "s3", "--bucket", `studio-${buckets}`]);
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: "" });
    expect(bucket.objects.has("default/assets/title.txt")).toBe(true);
    const log = readFileSync(join(workspace.root, "logs/server.log"), "utf8");
    for (const secret of [SECRET, server.secretAccessKey]) expect(run.stdout + log).not.toContain(secret);
  });

  test("without a vault the run asks for one and sends nothing", async () => {
    const { workspace } = await s3Workspace();
    rmSync(join(workspace.root, "config/comfyvn.secrets.json"));
    const before = server.seen.length;
    const { status, stderr } = await workspace.unlocked(["run", "--service", "s3"]);
    expect(status).toBe(1);
    expect(stderr).toContain("[vault_missing]");
    expect(server.seen.length).toBe(before);
  });

  test("a file that fails ends the run partly done, with its name and reason, and a later run finishes", async () => {
    const { workspace } = await s3Workspace();
    const key = "default/assets/bg/road.png";
    const fault = server.faults.add("PutObject", { kind: "answer", reply: { status: 403 } }, { key });
    const partial = await workspace.unlocked(["run", "--service", "s3"]);
    expect(fault.fired).toBe(1);
    expect(partial.status).toBe(3);
    expect(partial.stdout).toStartWith("partial: ");
    expect(partial.stdout).toMatch(/errors:\n {2}upload assets\/bg\/road\.png: [^\n]+ \[provider_denied\]\n/);
    expect((await workspace.unlocked(["run", "--service", "s3"])).status).toBe(0);
  });

  test("a destination that cannot be read is warned of on stderr, and the plan is made all the same", async () => {
    const { workspace } = await s3Workspace();
    const { status, stdout, stderr } = await workspace.unlocked(["plan", "--service", "s3", "--bucket", "not-there"]);
    expect(status).toBe(0);
    expect(stderr).toStartWith("warning: the destination could not be read");
    expect(stdout).toContain("uploads    4 files");
  });

  for (const [signal, expected] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    test(`${signal} in the middle of an upload ends the run cleanly, and a later run finishes`, async () => {
      const { workspace, bucket } = await s3Workspace();
      const key = "default/assets/title.txt";
      const arrived = Promise.withResolvers<void>();
      const hanging = server.faults.add("PutObject", { kind: "hang" }, { key });
      const env = { COMFYVN_SECRETS_KEY: "correct horse battery" };
      await workspace.during(
        ["run", "--service", "s3"],
        async (child) => {
          const watch = setInterval(() => hanging.fired > 0 && arrived.resolve(), 5);
          await Promise.race([arrived.promise, child.exited]);
          clearInterval(watch);
          child.kill(signal);
          const stderr = await new Response(child.stderr).text();
          expect({ status: await child.exited, stderr }).toEqual({
            status: expected,
            stderr:
              "cancelled: nothing was published; what arrived stays, and the next run goes on from there [aborted]\n",
          });
        },
        { env },
      );
      expect(hanging.fired).toBe(1);
      expect(bucket.objects.has(key)).toBe(false);
      expect(bucket.objects.has("manifests/default.json")).toBe(false);
      expect((await workspace.unlocked(["run", "--service", "s3"])).status).toBe(0);
      const plan = await workspace.unlocked(["plan", "--service", "s3", "--json"]);
      expect(JSON.parse(plan.stdout).plan).toMatchObject({ files_to_upload: 0, files_to_delete: 0 });
    });
  }

  test("a server ends when told to, though its store answers nothing any more, not even about the lease", async () => {
    const { workspace } = await s3Workspace();
    const env = { COMFYVN_SECRETS_KEY: "correct horse battery" };
    await workspace.during(
      ["serve", "--port", "0"],
      async (child) => {
        const base = (await lineOf(child, /^listening on /)).slice("listening on ".length);
        const arrived = Promise.withResolvers<void>();
        const upload = server.faults.add("PutObject", { kind: "hang" }, { key: "default/assets/title.txt" });
        const answered = api(base, "run", { service: "s3" });
        const watch = setInterval(() => upload.fired > 0 && arrived.resolve(), 5);
        await Promise.race([arrived.promise, answered]);
        clearInterval(watch);
        const lease = server.faults.add("*", { kind: "hang" }, { times: 100 });
        try {
          child.kill("SIGTERM");
          expect(await child.exited).toBe(0);
          expect(JSON.parse(await answered)).toMatchObject({ code: "aborted" });
        } finally {
          lease.remove();
        }
        expect([upload.fired, lease.fired]).toEqual([1, 1]);
      },
      { env },
    );
  });
});
