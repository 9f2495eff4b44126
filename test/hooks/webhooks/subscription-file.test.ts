import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { SyncError } from "../../../src/core/errors.ts";
import { COMPLETE, HOOK_URL, WebhooksBench } from "./webhooks-bench.ts";

/** As Python's json.dumps(items, indent=2) writes it, with what other versions of the studio may have put there. */
const STUDIO = `[
  {
    "event": "on_asset_saved",
    "url": "https://studio.example/\\u00e4",
    "secret": "",
    "rev": 12345678901234567890
  },
  "something else",
  {
    "event": "${COMPLETE}",
    "url": "https://studio.example/x",
    "secret": "canary-of-the-studio",
    "note": {"kept": [1.0, 2.50]}
  }
]`;

function codeThrownBy(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SyncError) return error.code;
    throw error;
  }
  return "no error";
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SyncError) return error.code;
    throw error;
  }
  return "no error";
}

describe("the studio's file", () => {
  test("what another writes into it stays to the character when one subscription is added and removed", async () => {
    const bench = new WebhooksBench();
    bench.writeFile(STUDIO);
    const webhooks = bench.open();
    await webhooks.register({ event: COMPLETE, url: HOOK_URL, secret: "mine" });
    const text = bench.readFile();
    expect(text.startsWith(STUDIO.slice(0, STUDIO.lastIndexOf("\n]")))).toBe(true);
    expect((JSON.parse(text) as unknown[]).at(-1)).toEqual({ event: COMPLETE, url: HOOK_URL, secret: "mine" });
    expect(await webhooks.remove({ event: COMPLETE, url: HOOK_URL })).toBe(1);
    expect(bench.readFile()).toBe(STUDIO);
  });

  test("a subscription that exists gets the new secret and keeps its other fields", async () => {
    const bench = new WebhooksBench();
    bench.writeFile(STUDIO);
    const webhooks = bench.open();
    await webhooks.register({ event: COMPLETE, url: "https://studio.example/x", secret: "new" });
    expect(bench.readFile()).toBe(STUDIO.replace("canary-of-the-studio", "new"));
    await webhooks.register({ event: COMPLETE, url: "https://studio.example/x" });
    expect(bench.readFile()).toBe(STUDIO.replace("canary-of-the-studio", ""));
  });

  test("all subscriptions are listed, never a secret, and each can be removed by its id", async () => {
    const bench = new WebhooksBench();
    bench.writeFile(STUDIO.replace("studio.example/x", "user:canary-userinfo@studio.example/x?token=canary-token"));
    const webhooks = bench.open();
    const listed = webhooks.list();
    expect(listed).toMatchObject([
      { event: "on_asset_saved", signed: false, known: false },
      { event: COMPLETE, signed: true, known: true },
    ]);
    expect(JSON.stringify(listed)).not.toContain("canary");
    expect(await webhooks.remove({ id: listed[1]?.id ?? "" })).toBe(1);
    expect(bench.readFile()).not.toContain("canary");
    expect(await webhooks.remove({ id: "nothing" })).toBe(0);
  });

  test("a change by the studio counts from the next event", async () => {
    const bench = new WebhooksBench();
    const webhooks = bench.open();
    bench.publish(webhooks);
    bench.writeFile(JSON.stringify([{ event: COMPLETE, url: HOOK_URL, secret: "" }]));
    bench.publish(webhooks);
    bench.writeFile(JSON.stringify([{ event: COMPLETE, url: "https://hooks.example/no", secret: "" }]));
    bench.publish(webhooks);
    expect(webhooks.pending(10).map(({ url }) => url)).toEqual([null, "https://hooks.example/no"]);
  });

  test("its secrets are kept out of everything that is redacted", () => {
    const bench = new WebhooksBench();
    bench.writeFile(STUDIO);
    bench.open().list();
    expect(bench.secrets.redactText("sent with canary-of-the-studio")).toBe("sent with [redacted]");
  });

  test("a secret that is a short word does not take that word out of every text", () => {
    const bench = new WebhooksBench();
    bench.writeFile(STUDIO.replace("canary-of-the-studio", "default"));
    bench.open().list();
    expect(bench.secrets.redactText("snapshot default")).toBe("snapshot default");
  });

  for (const [what, text] of Object.entries({
    "half a list": STUDIO.slice(0, 200),
    "an object": '{"webhooks": []}',
    nothing: "",
    "a trailing comma": '[{"event": "a", "url": "b"},]',
    "a comment": "[] // none",
    "a control character": '["\u0001"]',
  })) {
    test(`${what} instead of a list is an error that names the file, and it is left as it is`, async () => {
      const bench = new WebhooksBench();
      bench.writeFile(text);
      const before = bench.readFile();
      const webhooks = bench.open();
      expect(codeThrownBy(() => webhooks.list())).toBe("webhooks_malformed");
      expect(() => webhooks.list()).toThrow(/data\/webhooks\.json/);
      expect(await codeOf(webhooks.register({ event: COMPLETE, url: HOOK_URL }))).toBe("webhooks_malformed");
      expect(await codeOf(webhooks.remove({ event: COMPLETE, url: HOOK_URL }))).toBe("webhooks_malformed");
      expect(bench.readFile()).toBe(before);
    });
  }

  test("a new file can be read by nobody else, an old one keeps its mode, and a symlink stays one", async () => {
    const bench = new WebhooksBench();
    const path = join(bench.root, "data/webhooks.json");
    const webhooks = bench.open();
    await webhooks.register({ event: COMPLETE, url: HOOK_URL });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    mkdirSync(join(bench.root, "elsewhere"));
    const real = join(bench.root, "elsewhere/hooks.json");
    renameSync(path, real);
    symlinkSync(real, path);
    await webhooks.register({ event: "on_backup_created", url: HOOK_URL });
    expect(JSON.parse(readFileSync(real, "utf8"))).toHaveLength(2);
  });
});

test("what is refused is not written", async () => {
  const bench = new WebhooksBench();
  const webhooks = bench.open();
  const refused = [
    { event: "no_such_event", url: HOOK_URL },
    { event: COMPLETE, url: "http://127.0.0.1/" },
    { event: COMPLETE, url: "file:///etc/passwd" },
    { event: COMPLETE, url: HOOK_URL, secret: "whsec_not base64" },
  ];
  const codes = [];
  for (const each of refused) codes.push(await codeOf(webhooks.register(each)));
  expect(codes).toEqual(["schema", "webhook_refused", "webhook_url", "webhook_secret"]);
  expect(existsSync(join(bench.root, "data/webhooks.json"))).toBe(false);
});
