/** Short runs of the soaks in test/faults: a real S3 server behind a proxy that fails, and real processes that are killed. */
import { expect, test } from "bun:test";
import { runFaultSchedules } from "../faults/fault-runs.ts";
import { killRuns } from "../faults/kill-harness.ts";
import { raceRewriter } from "../faults/rewrite-race.ts";
import { crashLeaseHolder, raceWriters } from "../faults/two-writers.ts";
import { type CephRgw, cephRgw } from "../services/ceph-rgw.ts";

const TIMEOUT_MS = 120_000;
const SEED = 20_260_730;

const rgw = await cephRgw();
if (rgw !== undefined) faultTests(rgw);

function faultTests(server: CephRgw): void {
  test(
    "a run killed at any moment leaves no manifest that names a missing object, and the next one finishes the work",
    async () => {
      const sizes = {
        smallFiles: 40,
        smallBytesMax: 30_000,
        largeFilesMax: 1,
        largeBytesMin: 17_000_000,
        largeBytesMax: 20_000_000,
      };
      const { kills } = await killRuns({ server, seed: SEED, kills: 6, sizes });
      expect(kills).toBe(6);
    },
    TIMEOUT_MS,
  );

  test(
    "faults that pass cost time and nothing else",
    async () => {
      const { firedBy } = await runFaultSchedules({ server, seed: SEED, schedules: 4 });
      expect(Object.values(firedBy).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(20);
    },
    TIMEOUT_MS,
  );

  test(
    "of two writers at once none loses an update, and who is refused is told why",
    async () => {
      const { held } = await raceWriters({ server, seed: SEED, races: 6 });
      expect(held).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  test(
    "a writer that died with the lease keeps others out until it has run out, and no longer",
    () => crashLeaseHolder(server, SEED),
    TIMEOUT_MS,
  );

  test(
    "a file rewritten while it uploads is never published under the old hash",
    async () => {
      const { runs } = await raceRewriter({ server, seed: SEED, runs: 8 });
      expect(runs).toBe(8);
    },
    TIMEOUT_MS,
  );
}
