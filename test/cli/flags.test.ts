import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cliWorkspace } from "./cli-process.ts";

const ALL_OFF = {
  enable_cloud_sync: false,
  enable_cloud_sync_s3: false,
  enable_cloud_sync_gdrive: false,
  enable_cloud_sync_local: false,
};

function configOf(root: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(root, "config/comfyvn.json"), "utf8"));
}

test("a workspace without a config file has every flag off", async () => {
  const { status, stdout } = await cliWorkspace().call(["flags", "list", "--json"]);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ features: ALL_OFF });
});

test("a provider's short name enables the gate too, without which it would do nothing", async () => {
  const workspace = cliWorkspace();
  const { status, stdout } = await workspace.call(["flags", "enable", "s3"]);
  expect(status).toBe(0);
  expect(stdout.split("\n").map((line) => line.split(/ +/))).toEqual([
    ["features.enable_cloud_sync", "on"],
    ["features.enable_cloud_sync_s3", "on"],
    ["features.enable_cloud_sync_gdrive", "off"],
    ["features.enable_cloud_sync_local", "off"],
    [""],
  ]);
  expect(configOf(workspace.root)).toEqual({
    features: { ...ALL_OFF, enable_cloud_sync: true, enable_cloud_sync_s3: true },
  });
});

test("a short name disables its provider and leaves the others' gate open", async () => {
  const workspace = cliWorkspace();
  await workspace.call(["flags", "enable", "s3", "local"]);
  await workspace.call(["flags", "disable", "s3"]);
  expect(configOf(workspace.root)["features"]).toEqual({
    ...ALL_OFF,
    enable_cloud_sync: true,
    enable_cloud_sync_local: true,
  });
});

test("a flag goes by its name, with or without features.", async () => {
  const workspace = cliWorkspace();
  await workspace.call(["flags", "enable", "enable_cloud_sync", "features.enable_cloud_sync_gdrive"]);
  expect(configOf(workspace.root)["features"]).toEqual({
    ...ALL_OFF,
    enable_cloud_sync: true,
    enable_cloud_sync_gdrive: true,
  });
});

test("the studio's own sections stay as they are", async () => {
  const workspace = cliWorkspace();
  workspace.write(
    "config/comfyvn.json",
    '{\n    "studio": {"theme": "dark"},\n    "features": {"enable_ai": true}\n}\n',
  );
  await workspace.call(["flags", "enable", "enable_cloud_sync"]);
  expect(configOf(workspace.root)).toEqual({
    studio: { theme: "dark" },
    features: { enable_ai: true, enable_cloud_sync: true },
  });
});

test("a malformed config file is named with its position, and not written", async () => {
  const workspace = cliWorkspace();
  const text = '{\n  "features": {"enable_cloud_sync": tru}\n}';
  workspace.write("config/comfyvn.json", text);
  for (const args of [
    ["flags", "list"],
    ["flags", "enable", "s3"],
  ]) {
    const { status, stdout, stderr } = await workspace.call(args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(
      /^error: config\/comfyvn\.json is not valid JSON: line 2, column \d+.* \[config_malformed\]\n$/,
    );
  }
  expect(readFileSync(join(workspace.root, "config/comfyvn.json"), "utf8")).toBe(text);
});

test("a flag that the second config file overrules is not called enabled", async () => {
  const workspace = cliWorkspace();
  workspace.write("comfyvn.json", '{"features": {"enable_cloud_sync_s3": false}}');
  const { status, stdout, stderr } = await workspace.call(["flags", "enable", "s3"]);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toContain("comfyvn.json at the workspace's root says otherwise");
  expect(stderr).toContain("features.enable_cloud_sync_s3");
});
