import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SyncError } from "../../src/core/errors.ts";
import { SecretValues } from "../../src/logs/redact.ts";
import { openServerLog } from "../../src/logs/server-log.ts";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import type { LogFile } from "../../src/platform/contract.ts";
import { tempFolder } from "../support/temp-folder.ts";

const { openLogFile } = bunPlatform();
const LIMITS = { bytesMax: 4096, filesKept: 5 };

interface LoggedLine {
  readonly event: string;
  readonly n: number;
}

/** What is in the log and its rotated files, oldest first. */
function linesOf(folder: string): LoggedLine[] {
  const number = (name: string) => Number(/\.log\.(\d+)$/.exec(name)?.[1] ?? 0);
  const names = readdirSync(folder).toSorted((a, b) => number(b) - number(a));
  return names.flatMap((name) =>
    readFileSync(join(folder, name), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as LoggedLine),
  );
}

function logIn(folder: string, limits = LIMITS, complaints: string[] = []) {
  return openServerLog(openLogFile(join(folder, "server.log"), limits), new SecretValues(), (line) => {
    complaints.push(line);
  });
}

describe("rotation", () => {
  test("no line is lost or torn under load, no file is over the size, and the count is kept", () => {
    const folder = tempFolder();
    const log = logIn(folder, { bytesMax: 16_384, filesKept: 100 });
    for (let n = 0; n < 5_000; n++) log.write("info", "load", { n, filler: "x".repeat(n % 200) });
    log.close();
    expect(linesOf(folder).map(({ n }) => n)).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(16_384);
  });

  test("only the set number of rotated files is kept, the latest ones", () => {
    const folder = tempFolder();
    const log = logIn(folder);
    for (let n = 0; n < 1_000; n++) log.write("info", "load", { n });
    log.close();
    const names = ["server.log", ...Array.from({ length: LIMITS.filesKept }, (_, i) => `server.log.${i + 1}`)];
    expect(new Set(readdirSync(folder))).toEqual(new Set(names));
    const kept = linesOf(folder).map(({ n }) => n);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 1_000 - kept.length + i));
  });

  test("two processes that write one log lose nothing of each other", () => {
    const folder = tempFolder();
    const limits = { bytesMax: 4096, filesKept: 100 };
    const logs = [logIn(folder, limits), logIn(folder, limits)];
    for (let n = 0; n < 600; n++) logs[n % 2]?.write("info", "load", { n });
    for (const log of logs) log.close();
    expect(linesOf(folder).map(({ n }) => n)).toEqual(Array.from({ length: 600 }, (_, n) => n));
  });
});

describe("what others do to the log", () => {
  test("a log that is deleted while it is written is made anew, and nothing lands in another file", () => {
    const folder = tempFolder();
    const log = logIn(folder);
    log.write("info", "before", {});
    rmSync(join(folder, "server.log"));
    const other = join(folder, "other");
    for (let n = 0; n < 100; n++) log.write("info", "after", { n });
    writeFileSync(other, "");
    rmSync(join(folder, "server.log"));
    for (let n = 100; n < 200; n++) log.write("info", "after", { n });
    expect(readFileSync(other, "utf8")).toBe("");
    rmSync(other);
    expect(linesOf(folder).at(-1)?.n).toBe(199);
  });

  test("a log that another tool rotated is left alone", () => {
    const folder = tempFolder();
    const log = logIn(folder);
    log.write("info", "one", { n: 1 });
    renameSync(join(folder, "server.log"), join(folder, "server.log.1"));
    log.write("info", "two", { n: 2 });
    expect(readFileSync(join(folder, "server.log.1"), "utf8")).not.toContain("two");
    expect(readFileSync(join(folder, "server.log"), "utf8")).toContain("two");
  });
});

describe("a log that cannot be written", () => {
  test("is said once at the start, with the lines going to stderr, and used as soon as it can be", () => {
    const folder = tempFolder();
    const complaints: string[] = [];
    // A file where the folder should be: also root cannot write that.
    writeFileSync(join(folder, "logs"), "");
    const log = openServerLog(openLogFile(join(folder, "logs/server.log"), LIMITS), new SecretValues(), (line) => {
      complaints.push(line);
    });
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toContain("the log goes to stderr");
    log.write("info", "one", { n: 1 });
    log.write("info", "two", { n: 2 });
    expect(complaints.slice(1).map((line) => (JSON.parse(line) as LoggedLine).event)).toEqual(["one", "two"]);
    rmSync(join(folder, "logs"));
    log.write("info", "three", { n: 3 });
    log.close();
    expect(complaints).toHaveLength(3);
    expect(linesOf(join(folder, "logs")).map(({ event }) => event)).toEqual(["three"]);
  });

  test("a write that fails later on loses no line: it goes to stderr, and the next one is tried again", () => {
    const written: string[] = [];
    const complaints: string[] = [];
    let full = false;
    const file: LogFile = {
      append: (lines) => {
        if (full) throw new SyncError("disk_full", "the disk is full");
        written.push(new TextDecoder().decode(lines));
      },
      close: () => undefined,
    };
    const log = openServerLog(file, new SecretValues(), (line) => complaints.push(line));
    log.write("info", "one", {});
    full = true;
    log.write("info", "two", {});
    full = false;
    log.write("info", "three", {});
    expect(written.filter((line) => line !== "").map((line) => (JSON.parse(line) as LoggedLine).event)).toEqual([
      "one",
      "three",
    ]);
    expect(complaints.join("\n")).toContain('"event":"two"');
  });
});

test("secrets are redacted by field, by value, and by the form of a text", () => {
  const folder = tempFolder();
  const secrets = new SecretValues();
  secrets.learn({ cloud_sync: { s3: { aws_secret_access_key: "canary-by-value" } } });
  const log = openServerLog(openLogFile(join(folder, "server.log"), LIMITS), secrets, () => undefined);
  log.write("info", "redaction", {
    password: "canary-by-field",
    nested: [{ Authorization: "canary-by-field" }],
    text: "failed with canary-by-value in it",
    url: "https://user:canary-by-form@host/?X-Amz-Signature=canary-by-form&sig=canary-by-form",
    header: "Authorization: Bearer canary-by-form-0123",
    key: "-----BEGIN PRIVATE KEY-----\ncanary-by-form\n-----END PRIVATE KEY-----",
    kept: "a plain text",
  });
  log.close();
  const text = readFileSync(join(folder, "server.log"), "utf8");
  expect(text).not.toContain("canary");
  expect(text).toContain("a plain text");
});

test("a project's name in Google's JSON key does not black out the snapshot and the folder of the same name", () => {
  const secrets = new SecretValues();
  const key = { type: "service_account", project_id: "studio", private_key: "canary-key", client_id: "653348975014" };
  secrets.learn({ cloud_sync: { gdrive: { credentials: key, parent_id: "folder-id" } } });
  const said = secrets.redact({ snapshot: "studio", paths: ["assets", "studio"], error: "canary-key 653348975014" });
  expect(said).toEqual({ snapshot: "studio", paths: ["assets", "studio"], error: "[redacted] [redacted]" });
});
