/**
 * Long fault runs against a real S3 server (COMFYVN_TEST_RGW; test/services/ceph-rgw.sh starts one):
 *
 *   bun test/faults/soak.ts kills|faults|writers|rewrites [--count N] [--seed N]
 *
 * Prints its figures; ends with status 1 and the seed at the first violation.
 */
import { parseArgs } from "node:util";
import { type CephRgw, cephRgw } from "../services/ceph-rgw.ts";
import { runFaultSchedules } from "./fault-runs.ts";
import { killRuns } from "./kill-harness.ts";
import { raceRewriter } from "./rewrite-race.ts";
import { crashLeaseHolder, raceWriters } from "./two-writers.ts";

interface Soak {
  readonly count: number;
  readonly run: (server: CephRgw, seed: number, count: number) => Promise<object>;
}

const SOAKS: Readonly<Record<string, Soak>> = {
  kills: { count: 100, run: (server, seed, kills) => killRuns({ server, seed, kills }) },
  faults: {
    count: 60,
    run: (server, seed, schedules) =>
      runFaultSchedules({
        server,
        seed,
        schedules,
        onSchedule: (own, faults) => console.error(`schedule ${own}: ${faults.join("; ")}`),
      }),
  },
  writers: {
    count: 200,
    run: async (server, seed, races) => {
      await crashLeaseHolder(server, seed);
      return await raceWriters({ server, seed, races });
    },
  },
  rewrites: { count: 60, run: (server, seed, runs) => raceRewriter({ server, seed, runs }) },
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { count: { type: "string" }, seed: { type: "string" } },
});
const soak = SOAKS[positionals[0] ?? ""];
if (soak === undefined) {
  console.error(`usage: soak.ts ${Object.keys(SOAKS).join("|")} [--count N] [--seed N]`);
  process.exit(2);
}
const server = await cephRgw();
if (server === undefined) process.exit(2);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const startedMs = performance.now();
try {
  const figures = await soak.run(server, seed, Number(values.count ?? soak.count));
  console.log(JSON.stringify({ seed, ...figures, seconds: secondsSince(startedMs) }, null, 2));
  process.exit(0);
} catch (error) {
  console.error(error);
  console.log(JSON.stringify({ seed, violated: true, seconds: secondsSince(startedMs) }));
  process.exit(1);
}

function secondsSince(ms: number): number {
  return Math.round((performance.now() - ms) / 100) / 10;
}
