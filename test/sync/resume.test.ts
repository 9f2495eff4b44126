import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { someBytes } from "../../src/providers/conformance/sources.ts";
import { openS3Provider } from "../../src/providers/s3/s3-provider.ts";
import { readS3Settings } from "../../src/providers/s3/settings.ts";
import { SMALL_LIMITS } from "../providers/s3/s3-setup.ts";
import type { S3Quirks } from "../services/s3/s3-quirks.ts";
import { type S3Server, startS3Server } from "../services/s3-server.ts";
import { codeOf, createWorkspace, type Workspace } from "../support/workspace.ts";

const { newHasher } = bunPlatform();
/** Ten parts. */
const FILM = someBytes(10_000, 1);
const PARTS = 10;

let server: S3Server;
let bucket: ReturnType<S3Server["createBucket"]>;

beforeEach(() => begin({}));
afterAll(() => server.stop());

async function begin(quirks: S3Quirks): Promise<void> {
  await server?.stop();
  server = await startS3Server({ quirks: { partBytesMin: 1024, ...quirks } });
  bucket = server.createBucket("studio");
}

/** A workspace with a large file and small ones, mirrored to the server. */
async function mirror(): Promise<Workspace> {
  const workspace = await createWorkspace({ "assets/a.png": "A", "docs/c.md": "C" });
  workspace.write("assets/film.bin", FILM);
  const settings = readS3Settings(server.settingsFor("studio"));
  workspace.wrap = () => openS3Provider(settings, { newHasher }, { limits: SMALL_LIMITS });
  return workspace;
}

/** A run that is stopped while the sixth part is on its way. */
async function cutOff(workspace: Workspace): Promise<void> {
  const abort = new AbortController();
  const fault = server.faults.add("UploadPart", { kind: "after", run: () => abort.abort() }, { nth: 6 });
  expect(await codeOf(workspace.run({}, abort.signal))).toBe("aborted");
  expect(fault.fired).toBe(1);
  expect(bucket.uploads.size).toBe(1);
  expect(recordFiles(workspace)).toHaveLength(1);
  server.seen.length = 0;
}

const sent = (operation: string) => server.seen.filter((request) => request.operation === operation).length;
const uploadKeys = () => [...bucket.uploads.values()].map(({ key }) => key);

function recordFiles({ root }: Workspace): string[] {
  try {
    return readdirSync(join(root, "cache/cloud/uploads"), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith(".jsonl"));
  } catch {
    return [];
  }
}

function expectClean(workspace: Workspace): void {
  expect(uploadKeys()).toEqual([]);
  expect(recordFiles(workspace)).toEqual([]);
}

test("a run without large files asks nothing of uploads and keeps no records", async () => {
  const workspace = await mirror();
  workspace.remove("assets/film.bin");
  await workspace.run();
  for (const operation of ["ListMultipartUploads", "ListParts", "CreateMultipartUpload"])
    expect(sent(operation)).toBe(0);
  expect(recordFiles(workspace)).toEqual([]);
});

test("a run that was not preceded by one that was cut off does not look for uploads", async () => {
  const workspace = await mirror();
  await workspace.run();
  expect(sent("ListMultipartUploads")).toBe(0);
  expectClean(workspace);
});

describe("after a run that was cut off", () => {
  test("the next one goes on inside the file, counts all its bytes as done, and leaves nothing", async () => {
    const workspace = await mirror();
    await cutOff(workspace);
    const { summary } = await workspace.run();
    expect(summary).toMatchObject({ status: "ok", errors: [], warnings: [] });
    expect(sent("UploadPart")).toBeLessThanOrEqual(PARTS - 6 + SMALL_LIMITS.partsAtOnce);
    expect(sent("CreateMultipartUpload")).toBe(0);
    expect(bucket.objects.get("default/assets/film.bin")?.bytes).toEqual(Buffer.from(FILM));
    const told = workspace.events.findLast((event) => event.type === "sync.progress");
    expect(told).toMatchObject({ bytesDone: told?.type === "sync.progress" ? told.bytesTotal : -1 });
    expectClean(workspace);
  });

  test("a dry run changes nothing of it", async () => {
    const workspace = await mirror();
    await cutOff(workspace);
    await workspace.dryRun();
    expect([uploadKeys(), recordFiles(workspace).length]).toEqual([["default/assets/film.bin"], 1]);
    expect(server.seen.every(({ operation }) => ["GetObject", "ListObjectsV2"].includes(operation))).toBe(true);
  });

  test("a file that has changed since is sent from its beginning", async () => {
    const workspace = await mirror();
    await cutOff(workspace);
    const changed = someBytes(10_000, 2);
    workspace.write("assets/film.bin", changed);
    expect((await workspace.run()).summary.status).toBe("ok");
    expect(sent("UploadPart")).toBe(PARTS);
    expect(bucket.objects.get("default/assets/film.bin")?.bytes).toEqual(Buffer.from(changed));
    expectClean(workspace);
  });

  test("a run of another part of the tree leaves the upload for a run of its own, for a week", async () => {
    const workspace = await mirror();
    await cutOff(workspace);
    expect((await workspace.run({ paths: ["docs"] })).summary.status).toBe("ok");
    expect([uploadKeys(), recordFiles(workspace).length]).toEqual([["default/assets/film.bin"], 1]);
    const eightDaysAgo = Date.now() / 1000 - 8 * 24 * 3600;
    utimesSync(
      join(workspace.root, "cache/cloud/uploads", recordFiles(workspace)[0] ?? ""),
      eightDaysAgo,
      eightDaysAgo,
    );
    workspace.write("docs/c.md", "changed");
    expect((await workspace.run({ paths: ["docs"] })).summary.status).toBe("ok");
    expectClean(workspace);
  });

  test("the upload of a file that is gone is removed", async () => {
    const workspace = await mirror();
    await cutOff(workspace);
    workspace.remove("assets/film.bin");
    expect((await workspace.run()).summary.status).toBe("ok");
    expectClean(workspace);
  });

  test("uploads of other machines are removed, but none of other snapshots or tools", async () => {
    const workspace = await mirror();
    await cutOff(workspace);
    bucket.begin("default/assets/film.bin", {});
    bucket.begin("default/elsewhere/old", {});
    bucket.begin("default2/x", {});
    bucket.begin("backup.tar", {});
    expect((await workspace.run()).summary.status).toBe("ok");
    expect(sent("CreateMultipartUpload")).toBe(0);
    expect(uploadKeys()).toEqual(["default2/x", "backup.tar"]);
  });

  test("records that were lost cost the upload, which is removed", async () => {
    const workspace = await mirror();
    await cutOff(workspace);
    workspace.remove("cache/cloud/uploads");
    expect((await workspace.run()).summary.status).toBe("ok");
    expect(sent("UploadPart")).toBe(PARTS);
    expectClean(workspace);
  });

  test("a store that does not let uploads be listed gets a warning, and the run is ok", async () => {
    const workspace = await mirror();
    await cutOff(workspace);
    const denied = server.faults.add("ListMultipartUploads", { kind: "answer", reply: { status: 403 } });
    const { summary } = await workspace.run();
    expect(denied.fired).toBe(1);
    expect(summary.status).toBe("ok");
    expect(summary.warnings).toEqual([expect.stringContaining("provider_denied")]);
    expect(sent("UploadPart")).toBeLessThan(PARTS);
  });

  test("where nothing keeps other writers out only what this machine recorded is removed", async () => {
    await begin({ ignoresPutConditions: true });
    const workspace = await mirror();
    await cutOff(workspace);
    bucket.begin("default/assets/of another machine", {});
    workspace.remove("assets/film.bin");
    expect((await workspace.run()).summary.status).toBe("ok");
    expect(uploadKeys()).toEqual(["default/assets/of another machine"]);
    expect(recordFiles(workspace)).toEqual([]);
  });

  test("a record torn by the crash costs nothing but a look at its part", async () => {
    const workspace = await mirror();
    await cutOff(workspace);
    const path = join("cache/cloud/uploads", recordFiles(workspace)[0] ?? "");
    const text = await Bun.file(join(workspace.root, path)).text();
    workspace.write(path, text.slice(0, -5));
    const arrived = [...bucket.uploads.values()][0]?.parts.size ?? 0;
    expect((await workspace.run()).summary.status).toBe("ok");
    expect(sent("UploadPart")).toBe(PARTS - arrived);
    expectClean(workspace);
  });
});

test("records that cannot be kept or read do not fail a run", async () => {
  const workspace = await mirror();
  workspace.write("cache/cloud/uploads", "a file where the folder should be");
  expect((await workspace.run()).summary).toMatchObject({ status: "ok", errors: [] });
  expect(uploadKeys()).toEqual([]);
});
