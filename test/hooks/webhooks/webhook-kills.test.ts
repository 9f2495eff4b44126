import { expect, test } from "bun:test";
import { killWebhookSenders } from "./webhook-kills.ts";

test("a server killed at random moments loses no event: all arrive, in order, and both signatures verify", async () => {
  const report = await killWebhookSenders({ seed: 20_261_122, kills: 4 });
  expect(report.kills).toBe(4);
  expect(report.acknowledged).toBeGreaterThan(10);
  expect(report.refusals).toBeGreaterThan(0);
  expect(report.signaturesVerified).toBe(report.deliveries);
  expect(report.deliveries).toBeGreaterThanOrEqual(report.acknowledged);
}, 120_000);
