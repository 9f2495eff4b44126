import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { SyncError } from "../../../src/core/errors.ts";
import { signWebhook } from "../../../src/mod.ts";

const BODY = '{"event":"on_cloud_sync_plan","ts":1763438706.789,"data":{"snapshot":"nächtlich"}}';
const KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const nowS = () => Date.now() / 1000;
const signed = (secret: string | undefined, body = BODY) =>
  signWebhook({ id: "msg-1", timestampS: nowS(), body }, secret);

test("X-Comfy-Signature is what the studio's receivers compute: hex HMAC-SHA256 of the body under the secret's UTF-8", () => {
  for (const secret of ["plain", "mit Ümläut ✓", KEY]) {
    const expected = createHmac("sha256", Buffer.from(secret)).update(BODY).digest("hex");
    expect(signed(secret)["X-Comfy-Signature"]).toBe(expected);
  }
});

test("the published test vector of Standard Webhooks comes out", () => {
  const message = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestampS: 1614265330, body: '{"test": 2432232314}' };
  expect(signWebhook(message, KEY)["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

test("a verifier accepts each kind of secret in every way it may be constructed", () => {
  const verify = (webhook: Webhook, secret: string) => webhook.verify(BODY, { ...signed(secret) });
  expect(verify(new Webhook(KEY), KEY)).toEqual(JSON.parse(BODY));
  for (const secret of ["plain words", "mit Ümläut ✓", "secret12"]) {
    const utf8 = new TextEncoder().encode(secret);
    expect(verify(new Webhook(utf8, { format: "raw" }), secret)).toEqual(JSON.parse(BODY));
    expect(verify(new Webhook(`whsec_${Buffer.from(utf8).toString("base64")}`), secret)).toEqual(JSON.parse(BODY));
  }
  // Text that reads as base64 too: this is how the library itself takes it.
  expect(verify(new Webhook("secret12"), "secret12")).toEqual(JSON.parse(BODY));
});

test("another body, id, time or secret is refused by the verifier", () => {
  const headers = { ...signed(KEY) };
  const webhook = new Webhook(KEY);
  expect(webhook.verify(BODY, headers)).toBeDefined();
  expect(() => webhook.verify(`${BODY} `, headers)).toThrow();
  expect(() => webhook.verify(BODY, { ...headers, "webhook-id": "msg-2" })).toThrow();
  expect(() => webhook.verify(BODY, { ...headers, "webhook-timestamp": String(Math.floor(nowS()) - 30) })).toThrow();
  expect(() => new Webhook("whsec_AAAA").verify(BODY, headers)).toThrow();
});

test("without a secret nothing is signed, and the message has its id all the same", () => {
  expect(Object.keys(signed(undefined))).toEqual(["webhook-id", "webhook-timestamp"]);
  expect(Object.keys(signed(""))).toEqual(["webhook-id", "webhook-timestamp"]);
});

test("a whsec_ secret that is not base64 is refused by its code, and the error does not repeat it", () => {
  for (const secret of ["whsec_canary!canary", "whsec_", "whsec_abc"]) {
    let thrown: unknown;
    try {
      signed(secret);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SyncError);
    expect(thrown).toMatchObject({ code: "webhook_secret" });
    expect(String(thrown)).not.toContain("canary");
  }
});
