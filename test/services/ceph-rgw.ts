import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";

const SCRIPT = join(import.meta.dir, "ceph-rgw.sh");
const PROGRAMS = ["ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph"];
const SHARED = Symbol.for("comfyvn-cloud-sync.test.rgw");

/** A real S3 server. Its buckets are the caller's to remove. */
export class CephRgw {
  readonly accessKeyId = "testkey";
  readonly secretAccessKey = "testsecret";
  readonly region = "us-east-1";
  readonly client: S3Client;

  constructor(readonly endpoint: string) {
    const { accessKeyId, secretAccessKey, region } = this;
    this.client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
  }

  /** A bucket that no other run has; its name. */
  async createBucket(): Promise<string> {
    const name = `comfyvn-test-${crypto.randomUUID()}`;
    await this.client.send(new CreateBucketCommand({ Bucket: name }));
    return name;
  }

  /** Removes a bucket with all that is in it. */
  async removeBucket(name: string): Promise<void> {
    const Bucket = name;
    for (const { Key, UploadId } of await this.uploads(name)) {
      await this.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    }
    for (;;) {
      const { Contents = [] } = await this.client.send(new ListObjectsV2Command({ Bucket }));
      if (Contents.length === 0) break;
      const Objects = Contents.map(({ Key }) => ({ Key }));
      await this.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    }
    await this.client.send(new DeleteBucketCommand({ Bucket }));
  }

  /** Multipart uploads that are neither complete nor aborted. */
  async uploads(bucket: string) {
    const { Uploads = [] } = await this.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return Uploads;
  }

  /** Settings of a provider for `bucket`. */
  settingsFor(bucket: string): Record<string, unknown> {
    const { endpoint, region, accessKeyId, secretAccessKey } = this;
    return {
      bucket,
      endpoint_url: endpoint,
      region,
      aws_access_key_id: accessKeyId,
      aws_secret_access_key: secretAccessKey,
    };
  }
}

/**
 * The server of `COMFYVN_TEST_RGW` (its endpoint; `none` for a run that leaves these tests to another), or with `CI=true` one that is started here, once for all test files
 * of the process. Elsewhere undefined, with the reason on stderr: then a test file has no tests.
 * @throws Error in CI when there is none: an integration test that quietly does not run proves nothing
 */
export async function cephRgw(): Promise<CephRgw | undefined> {
  process.env["NO_PROXY"] = "127.0.0.1,localhost";
  const given = process.env["COMFYVN_TEST_RGW"];
  if (given === "none") return undefined;
  if (given !== undefined && given !== "") {
    await fetch(given, { signal: AbortSignal.timeout(10_000) });
    return new CephRgw(given);
  }
  if (process.env["CI"] !== "true") {
    console.warn(
      "no tests against a real S3 server: start one by test/services/ceph-rgw.sh and set COMFYVN_TEST_RGW to its address",
    );
    return undefined;
  }
  const shared = globalThis as { [SHARED]?: Promise<CephRgw> };
  shared[SHARED] ??= start();
  return await shared[SHARED];
}

async function start(): Promise<CephRgw> {
  const missing = PROGRAMS.filter((program) => Bun.which(program) === null);
  if (missing.length > 0) throw new Error(`tests against a real S3 server need ${missing.join(", ")}`);
  const folder = mkdtempSync(join(tmpdir(), "comfyvn-rgw-"));
  // Outlives this process, however it ends, and clears up after it.
  const watch = 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; bash "$2" stop "$3"; rm -rf "$3"';
  const quiet = { stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const;
  Bun.spawn(["setsid", "bash", "-c", watch, "watch", String(process.pid), SCRIPT, folder], quiet).unref();
  const [s3Port, monitorPort] = await freePorts(2);
  const child = Bun.spawn(["bash", SCRIPT, folder, String(s3Port), String(monitorPort)], {
    stdout: "ignore",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new Error("the real S3 server for tests did not start");
  return new CephRgw(`http://127.0.0.1:${s3Port}`);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
