/** The service account's key and its tokens show nowhere, however a run to Google Drive fails. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { secretsIn } from "../../src/providers/conformance/secrets-in.ts";
import type { DriveFake } from "../fakes/drive/drive-fake.ts";
import { type DriveFault, DriveFaultScript, type FaultTarget } from "../fakes/drive/drive-faults.ts";
import { startFake } from "../fakes/start-fake.ts";
import { type DriveWorkspace, driveWorkspace } from "../support/drive-workspace.ts";

const MIB = 1024 * 1024;

interface Failure {
  readonly on: FaultTarget;
  readonly fault: DriveFault;
  /** Default 1. */
  readonly times?: number;
}

/** By name, with how the run ends: a status of its summary, or the code it throws. */
const FAILURES: Readonly<Record<string, Failure & { readonly ends: string }>> = {
  "no room": {
    on: "files.create.multipart",
    fault: { kind: "refusal", reason: "storageQuotaExceeded" },
    ends: "disk_full",
  },
  "the day's quota": { on: "any", fault: { kind: "refusal", reason: "dailyLimitExceeded" }, ends: "provider_denied" },
  "no permission": {
    on: "files.create.multipart",
    fault: { kind: "refusal", reason: "insufficientFilePermissions" },
    ends: "provider_denied",
  },
  "a rate limit": { on: "any", fault: { kind: "refusal", reason: "userRateLimitExceeded" }, ends: "ok" },
  "429 with Retry-After": { on: "write", fault: { kind: "too_many_requests", retryAfterSeconds: 1 }, ends: "ok" },
  "500 after the write": {
    on: "files.create.multipart",
    fault: { kind: "server_error", status: 500, when: "after", body: "json" },
    ends: "ok",
  },
  "a page of HTML": { on: "any", fault: { kind: "html", status: 502 }, ends: "ok" },
  "a proxy's login page": { on: "any", fault: { kind: "html", status: 400 }, ends: "provider_error" },
  "a reset after the write": { on: "files.create.multipart", fault: { kind: "reset", when: "after" }, ends: "ok" },
  "a revoked token": { on: "files.create.multipart", fault: { kind: "token_revoked" }, ends: "ok" },
  "damage on the way": { on: "files.create.multipart", fault: { kind: "corrupt_upload" }, ends: "ok" },
  "a lost upload session": { on: "upload.chunk", fault: { kind: "session_lost", status: 404 }, ends: "ok" },
  "an upload that keeps less": { on: "upload.chunk", fault: { kind: "keep_less", bytes: 262_144 }, ends: "ok" },
  "a token endpoint in trouble": {
    on: "token",
    fault: { kind: "server_error", status: 503, when: "before", body: "html" },
    ends: "ok",
  },
};

/** Texts of which none may show: the key, each line of it, and every token that was handed out. */
function secretsOf(fake: DriveFake, tokens: readonly string[]): string[] {
  const { private_key: key } = fake.account.file;
  const lines = key.split("\n").filter((line) => line.length > 20 && !line.startsWith("-----"));
  return [key, JSON.stringify(key).slice(1, -1), ...lines, ...tokens];
}

/** Everything that a run leaves in the workspace but the vault. */
function leftIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return leftIn(path);
    return name === "comfyvn.secrets.json" ? [] : [readFileSync(path, "latin1")];
  });
}

async function outcomeOf(workspace: DriveWorkspace): Promise<{ readonly ends: string; readonly shown: unknown }> {
  try {
    const shown = await workspace.run();
    return { ends: shown.summary.errors[0]?.code ?? shown.summary.status, shown };
  } catch (error) {
    return { ends: error instanceof Error && "code" in error ? String(error.code) : String(error), shown: error };
  }
}

/** The tokens that a fake hands out, as they pass by. */
function watchTokens(fake: DriveFake): readonly string[] {
  const tokens: string[] = [];
  const answer = fake.tokens.answer.bind(fake.tokens);
  fake.tokens.answer = async (request) => {
    const given = await answer(request);
    const { access_token: token } = JSON.parse(new TextDecoder().decode(given.body)) as { access_token?: string };
    if (token !== undefined) tokens.push(token);
    return given;
  };
  return tokens;
}

describe("neither key nor token shows in an answer, an error, the log or any file of the workspace", () => {
  for (const [name, { on, fault, times = 1, ends }] of Object.entries(FAILURES)) {
    test(`after ${name}`, async () => {
      const fake = await startFake();
      const tokens = watchTokens(fake);
      const workspace = await driveWorkspace(fake, { "assets/a": "A", "assets/b": "B" });
      workspace.write("assets/large", new Uint8Array(6 * MIB).fill(7));
      fake.script = new DriveFaultScript([{ on, nth: 1, times, fault }]);
      const outcome = await outcomeOf(workspace);
      fake.script.assertAllFired();
      expect(outcome.ends).toBe(ends);
      expect(tokens.length).toBeGreaterThan(0);
      const secrets = secretsOf(fake, tokens);
      expect(secretsIn(outcome.shown, secrets)).toBeUndefined();
      for (const text of leftIn(workspace.root)) expect(secretsIn(text, secrets)).toBeUndefined();
      expect(workspace.log()).toContain('"sync.run"');
    }, 30_000);
  }

  test("after a key that Google refuses, and one that is none", async () => {
    const fake = await startFake();
    const stranger = fake.addAccount("stranger", "elsewhere").file.private_key_id;
    const { private_key: key } = fake.account.file;
    const broken = key.replace("-----END PRIVATE KEY-----", "");
    for (const [changes, code] of [
      [{ private_key_id: stranger }, "provider_denied"],
      [{ private_key: broken }, "provider_config"],
      [{ private_key: key.replaceAll("A", "B") }, "provider_config"],
    ] as const) {
      const settings = { credentials: { ...fake.account.file, ...changes } };
      const workspace = await driveWorkspace(fake, { "assets/a": "A" }, settings);
      const outcome = await outcomeOf(workspace);
      expect(outcome.ends).toBe(code);
      const secrets = [...secretsOf(fake, []), broken];
      expect(secretsIn(outcome.shown, secrets)).toBeUndefined();
      for (const text of leftIn(workspace.root)) expect(secretsIn(text, secrets)).toBeUndefined();
    }
    expect(fake.log.calls).toBe(0);
  }, 30_000);
});
