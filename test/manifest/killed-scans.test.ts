import { expect, test } from "bun:test";
import { seededRandom } from "../support/virtual-clock.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { killScans, plantForKills } from "./killed-scans.ts";

test("whenever a scan is killed, the next one is right", async () => {
  const root = tempFolder();
  plantForKills(root);
  const random = seededRandom(Date.now());
  const results = [];
  for (let seed = 1; seed <= 8; seed++) results.push(await killScans(root, seed, Math.floor(random() * 60)));
  expect(results.flatMap(({ fault }) => fault ?? [])).toEqual([]);
  expect(results.some(({ index }) => index)).toBe(true);
}, 60_000);
