/**
 * Kills the real server at random moments while it publishes and sends: bun run soak:webhooks [--kills N] [--seed N].
 * Prints its figures; ends with status 1 and the seed at the first violation.
 */
import { parseArgs } from "node:util";
import { killWebhookSenders } from "./webhook-kills.ts";

const { values } = parseArgs({ options: { kills: { type: "string" }, seed: { type: "string" } } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const startMs = performance.now();
try {
  const report = await killWebhookSenders({ seed, kills: Number(values.kills ?? 30) });
  console.log(JSON.stringify({ ...report, seconds: Math.round((performance.now() - startMs) / 1000) }, null, 2));
} catch (error) {
  console.error(`seed ${seed}:`, error);
  process.exit(1);
}
