import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/core/json.ts";
import { foreignSeal, parseObject, testVault, vector } from "./vault-helpers.ts";

const SOUND = vector("with-backups.json");
const UPDATED = "2025-11-18T04:05:06.789012+00:00";

describe("describe", () => {
  test("without a passphrase tells version, work factor and dates, and derives nothing", async () => {
    const { vault, derivations } = testVault(SOUND);
    expect(await vault.describe()).toEqual({
      version: 1,
      iterations: 390_000,
      updated_at: UPDATED,
      backups: [
        { index: 0, updated_at: UPDATED, archived_at: "2025-11-18T05:00:00+00:00" },
        { index: 1, updated_at: UPDATED, archived_at: "2025-11-18T04:30:00+00:00" },
      ],
    });
    expect(derivations).toEqual([]);
  });

  test("with it tells each value's path and type, and nothing of the value, not its length", async () => {
    const payload: JsonObject = {
      cloud_sync: { s3: { bucket: "canary", long: "canary".repeat(50) } },
      "hooks.example": ["canary", 77_123, true, null],
      empty: {},
      none: [],
    };
    const { vault } = testVault(JSON.stringify(foreignSeal(JSON.stringify(payload), "pw")));
    const description = await vault.describe("pw");
    const types = description.keys?.map(({ path, type }) => [path, type]);
    expect(types).toEqual([
      ["cloud_sync.s3.bucket", "string"],
      ["cloud_sync.s3.long", "string"],
      ["hooks\\.example.0", "string"],
      ["hooks\\.example.1", "number"],
      ["hooks\\.example.2", "boolean"],
      ["hooks\\.example.3", "null"],
      ["empty", "object"],
      ["none", "array"],
    ]);
    expect(new Set(description.keys?.map(({ masked }) => masked)).size).toBe(1);
    expect(JSON.stringify(description)).not.toMatch(/canary|77123/);
  });

  test("shows as a date only what looks like one", async () => {
    const text = JSON.stringify({
      ...parseObject(SOUND),
      updated_at: "<script>",
      backups: [{ updated_at: 5, archived_at: "soon" }],
    });
    const { vault } = testVault(text);
    expect(await vault.describe()).toMatchObject({
      updated_at: null,
      backups: [{ index: 0, updated_at: null, archived_at: null }],
    });
  });

  test("backups lists dates even where the root is damaged", async () => {
    const { vault } = testVault(JSON.stringify({ ...parseObject(SOUND), kdf: null }));
    expect((await vault.backups()).map(({ archived_at }) => archived_at)).toEqual([
      "2025-11-18T05:00:00+00:00",
      "2025-11-18T04:30:00+00:00",
    ]);
  });
});
