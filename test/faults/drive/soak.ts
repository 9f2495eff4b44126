/**
 * The real program, killed again and again while it mirrors a large file to the Drive fake:
 *
 *   bun run soak:drive [--kills N] [--seed N] [--megabytes N] [--lag MS]
 *
 * Prints its figures; ends with status 1 and the seed at the first violation.
 */
import { parseArgs } from "node:util";
import { killDriveRuns } from "./drive-kills.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string" },
    seed: { type: "string" },
    megabytes: { type: "string" },
    lag: { type: "string" },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const startedMs = performance.now();
try {
  const largeBytes = Number(values.megabytes ?? 40) * 1_000_000;
  const figures = await killDriveRuns({
    seed,
    kills: Number(values.kills ?? 50),
    largeBytes,
    indexLagMs: Number(values.lag ?? 0),
  });
  console.log(JSON.stringify({ ...figures, seconds: secondsSince(startedMs) }, null, 2));
  process.exit(0);
} catch (error) {
  console.error(error);
  console.log(JSON.stringify({ seed, violated: true, seconds: secondsSince(startedMs) }));
  process.exit(1);
}

function secondsSince(ms: number): number {
  return Math.round((performance.now() - ms) / 100) / 10;
}
