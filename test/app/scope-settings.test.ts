import { expect, test } from "bun:test";
import { codeOf, createWorkspace } from "../support/workspace.ts";

test.each([
  ["sync.include", { include: ["/abs"] }, "absolute"],
  ["sync.exclude", { exclude: Array.from({ length: 20 }, (_, k) => `${k}${"x".repeat(1_000)}`) }, "longer than"],
])("a bad %s of the settings is named as such, not as the request's fault", async (setting, sync, why) => {
  const workspace = await createWorkspace();
  workspace.write("config/comfyvn.json", JSON.stringify({ features: { enable_cloud_sync: true }, sync }));
  const app = await workspace.app();
  const manifest = app.manifest({});
  expect(await codeOf(manifest)).toBe("config_invalid");
  await expect(manifest).rejects.toThrow(`config/comfyvn.json: ${setting}: `);
  await expect(manifest).rejects.toThrow(why);
});

test("a request that brings its own paths does not suffer from those of the settings", async () => {
  const workspace = await createWorkspace({ "assets/a": "A" });
  workspace.write(
    "config/comfyvn.json",
    JSON.stringify({ features: { enable_cloud_sync: true }, sync: { include: ["/abs"] } }),
  );
  const { entries } = await (await workspace.app()).manifest({ include: ["assets"] });
  expect(entries).toBe(1);
});
