import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import type { JsonObject } from "../../../src/core/json.ts";
import type { ConformanceResult } from "../../../src/providers/conformance/run-conformance.ts";
import { cephRgw } from "../../services/ceph-rgw.ts";
import { startS3Server } from "../../services/s3-server.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { vector } from "../../vault/vault-helpers.ts";
import { bundleForWorkers, importsOf, type RunningWorker, startWorker } from "./workerd.ts";

const rgw = await cephRgw();
const folder = tempFolder();
let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker("test/runtimes/edge/test-worker.ts", folder);
}, 60_000);
afterAll(() => worker?.stop());

async function ask(task: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${worker.base}/test/${task}`, { method: "POST", body: JSON.stringify(body) });
  return await response.json();
}

describe("in workerd", () => {
  test("a vault of the studio opens, and what is stored opens on another runtime", async () => {
    const index = JSON.parse(vector("index.json")) as {
      open: readonly { file: string; passphrase: string; payload: unknown }[];
    };
    const [one] = index.open;
    const text = vector(one?.file ?? "");
    const task = { text, passphrase: one?.passphrase, path: "cloud_sync.s3.bucket", value: "edge" };
    const answer = (await ask("vault", task)) as { before: unknown; after: JsonObject; text: string };
    expect(answer.before).toEqual(one?.payload ?? {});
    const { SecretsVault } = await import("../../../src/vault/secrets-vault.ts");
    const { textVaultStorage } = await import("../../../src/vault/text-vault-storage.ts");
    expect(await new SecretsVault(textVaultStorage(answer.text)).unlock(one?.passphrase)).toEqual(answer.after);
    expect(answer.after).toHaveProperty("cloud_sync.s3.bucket", "edge");
  });

  test("a wrong passphrase is told as everywhere", async () => {
    const answer = await ask("vault", { text: vector("plain.json"), passphrase: "wrong" });
    expect(answer).toMatchObject({ code: "vault_wrong_passphrase" });
  });

  test("manifests are compared", async () => {
    const [a, b, c] = ["a", "b", "c"].map((digit) => digit.repeat(64));
    const answer = await ask("diff", {
      local: { same: a, new: b, changed: c },
      remote: { same: a, changed: b, gone: a },
    });
    expect(answer).toMatchObject({
      uploads: [
        { path: "changed", reason: "content_mismatch" },
        { path: "new", reason: "missing_remote" },
      ],
      deletes: [{ path: "gone", reason: "missing_local" }],
    });
  });

  test("hooks are signed", async () => {
    const headers = (await ask("sign", { id: "1", timestampS: 1, body: "{}", secret: "shh" })) as Record<
      string,
      string
    >;
    expect(headers["X-Comfy-Signature"]).toBe(createHmac("sha256", "shh").update("{}").digest("hex"));
  });

  test("the S3 provider keeps its contract", async () => {
    const s3 = await startS3Server();
    try {
      s3.createBucket("studio");
      expectKept(await ask("s3", s3.settingsFor("studio")));
    } finally {
      await s3.stop();
    }
  }, 120_000);

  if (rgw !== undefined) {
    test("and on Ceph", async () => {
      const bucket = await rgw.createBucket();
      try {
        expectKept(await ask("s3", rgw.settingsFor(bucket)));
      } finally {
        await rgw.removeBucket(bucket);
      }
    }, 180_000);
  }
});

function expectKept(answer: unknown): void {
  const results = answer as readonly ConformanceResult[];
  expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  expect(results.filter(({ outcome }) => outcome === "passed").length).toBeGreaterThan(40);
}

describe("the bundle for workers", () => {
  test("imports nothing of a runtime", async () => {
    expect(importsOf(await bundleForWorkers("src/edge.ts"))).toEqual([]);
  });

  test("is seen to import what it does: a planted node: import is found", async () => {
    const plant = `${folder}/planted.ts`;
    await Bun.write(
      plant,
      'import { readFileSync } from "node:fs";\nexport default { fetch: () => readFileSync("x") };\n',
    );
    const bundled = await Bun.build({ entrypoints: [plant], target: "browser", external: ["node:*"] });
    expect(importsOf(await (bundled.outputs[0]?.text() ?? ""))).toEqual(["node:fs"]);
  });
});
