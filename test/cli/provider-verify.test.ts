import { afterAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { DriveFake } from "../fakes/drive/drive-fake.ts";
import { startS3Server } from "../services/s3-server.ts";
import { type CliWorkspace, cliWorkspace } from "./cli-process.ts";

const server = await startS3Server();
afterAll(() => server.stop());

async function verifiable(bucket: string): Promise<CliWorkspace> {
  const workspace = cliWorkspace();
  workspace.write("config/comfyvn.json", JSON.stringify({ sync: { local: { path: workspace.other } } }));
  await workspace.call(["flags", "enable", "local", "s3"]);
  const payload = { cloud_sync: { s3: { ...server.settingsFor(bucket), prefix: "studio" } } };
  await workspace.unlocked(["vault", "import", "-"], { stdin: JSON.stringify(payload) });
  return workspace;
}

test("a sound destination passes every case and is left as it was", async () => {
  const bucket = server.createBucket("sound");
  const workspace = await verifiable("sound");
  const { status, stdout, stderr } = await workspace.unlocked(["provider", "verify", "--service", "s3"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^ok {3}\S/m);
  expect(stdout).toMatch(/\n\d{2,} passed, 0 failed, \d+ do not apply\n$/);
  expect([...bucket.objects.keys()]).toEqual([]);
  const written = server.seen.filter(({ operation, headers }) => operation === "PutObject" && headers["host"] !== "");
  expect(written.length).toBeGreaterThan(100);
  expect(written.filter(({ key }) => !key.startsWith("studio/comfyvn-conformance-"))).toEqual([]);
}, 120_000);

test("a destination that refuses writes fails its cases by name, with status 1", async () => {
  server.createBucket("denied");
  const workspace = await verifiable("denied");
  const denied = server.faults.add("PutObject", { kind: "answer", reply: { status: 403 } }, { times: Infinity });
  const { status, stdout } = await workspace.unlocked(["provider", "verify", "--service", "s3", "--json"]);
  denied.remove();
  expect(denied.fired).toBeGreaterThan(0);
  expect(status).toBe(1);
  const { service, failed, results } = JSON.parse(stdout);
  expect(service).toBe("s3");
  expect(failed).toBeGreaterThan(10);
  const failures = results.filter(({ outcome }: { outcome: string }) => outcome === "failed");
  expect(failures).toHaveLength(failed);
  expect(stdout).toContain("provider_denied");
  expect(stdout).not.toContain(server.secretAccessKey);
}, 120_000);

test("the local provider's folder holds nothing of the suite afterwards", async () => {
  const workspace = await verifiable("local");
  const { status, stdout } = await workspace.call([
    "provider",
    "verify",
    "--service",
    "local",
    "--prefix",
    "deep/down",
  ]);
  expect(stdout).toContain(" 0 failed,");
  expect(status).toBe(0);
  expect(readdirSync(workspace.other).filter((name) => !name.startsWith("."))).toEqual([]);
}, 120_000);

test("a folder of Google Drive is verified by the same command and left as it was", async () => {
  const fake = await DriveFake.start();
  const workspace = cliWorkspace();
  await workspace.call(["flags", "enable", "gdrive"]);
  const settings = { parent_id: fake.drive.id, scopes: "drive", credentials: fake.account.file };
  await workspace.unlocked(["vault", "import", "-"], { stdin: JSON.stringify({ cloud_sync: { gdrive: settings } }) });
  const env = { COMFYVN_TEST_DRIVE_URL: fake.url };
  const { status, stdout } = await workspace.unlocked(["provider", "verify", "--service", "gdrive"], { env });
  const left = [...fake.store.childrenOf(fake.drive.id)].map(({ name }) => name);
  await fake.stop();
  expect(stdout).toMatch(/\n\d{2,} passed, 0 failed, \d+ do not apply\n$/);
  expect({ status, left }).toEqual({ status: 0, left: [] });
  fake.assertNothingRefused();
}, 120_000);

test("a provider whose flag is off is not touched", async () => {
  const workspace = cliWorkspace();
  const before = server.seen.length;
  const { status, stderr } = await workspace.unlocked(["provider", "verify", "--service", "s3"]);
  expect(status).toBe(1);
  expect(stderr).toContain("[feature_disabled]");
  expect(server.seen.length).toBe(before);
});
