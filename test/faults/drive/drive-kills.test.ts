/** A short run of the soak: `bun run soak:drive` is the whole of it. */
import { expect, test } from "bun:test";
import { killDriveRuns } from "./drive-kills.ts";

test("runs killed at any moment are taken up where they were, with no file twice", async () => {
  const { kills } = await killDriveRuns({ seed: 20_261_122, kills: 4, largeBytes: 20_000_000 });
  expect(kills).toBe(4);
}, 120_000);
