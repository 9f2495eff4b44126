import { describe, expect, test } from "bun:test";
import { isHardExcluded, mayHardExcludeAny } from "../../src/manifest/hard-exclusion.ts";
import { createScope } from "../../src/manifest/scope.ts";

const everything = createScope({ include: ["."], exclude: [] });

/** Also by the quick question about a whole folder, which is to clear none that holds one of these. */
function expectRefused(paths: readonly string[]): void {
  expect(paths.filter(everything.holds)).toEqual([]);
  const cleared = paths.filter((path) => {
    const cut = path.lastIndexOf("/") + 1;
    const isEntered = !isHardExcluded(path.slice(0, Math.max(0, cut - 1)));
    return isEntered && isHardExcluded(path) && !mayHardExcludeAny(path.slice(0, cut), `a\0${path.slice(cut)}\0z\0`);
  });
  expect(cleared).toEqual([]);
}

function expectHeld(paths: readonly string[]): void {
  expect(paths.filter((path) => !everything.holds(path))).toEqual([]);
}

describe("security 13: no include brings in", () => {
  test("the vault, its lock, its temp files and its copies", () => {
    expectRefused([
      "config/comfyvn.secrets.json",
      "config/comfyvn.secrets.json.lock",
      "config/.comfyvn.secrets.json.0123456789abcdef.tmp",
      "config/comfyvn.secrets.tmp",
      "config/comfyvn.secrets.json~",
      "config/.comfyvn.secrets.json.swp",
      "config/comfyvn.secrets (1).json",
      "assets/old/comfyvn.secrets.json",
      "config/comfyvn.secrets.json/inside",
    ]);
  });

  test("the vault as a file system without case spells it", () => {
    expectRefused([
      "Config/Comfyvn.Secrets.JSON",
      "CONFIG/COMFYVN.SECRETS.JSON",
      "config/comfyvn.\u017Fecret\u017F.json",
    ]);
  });

  test("environment files, in any folder", () => {
    expectRefused([".env", "assets/.env", "assets/.env.local", ".ENV", ".envrc", ".env~", ".env.example", "a/.env/x"]);
  });

  test("the studio's webhooks, which hold secrets, copies of them, and the queue beside them", () => {
    expectRefused([
      "data/webhooks.json",
      "Data/Webhooks.JSON",
      "data/webhooks.json~",
      "data/webhooks.json.bak",
      "data/webhooks.tmp",
      "data/webhooks (1).json",
      "data/.webhooks.json.swp",
      "data/.webhooks.json.0123456789abcdef.tmp",
      "data/webhooks.sqlite",
      "data/webhooks.sqlite-wal",
    ]);
  });

  test("this product's own folders and unfinished files", () => {
    expectRefused(["cache/cloud", "cache/cloud/manifests/s3/a.json", "backups/cloud/x.zip", "logs", "logs/server.log"]);
    expectRefused(["assets/.hero.png.0123456789abcdef.tmp"]);
  });

  test("a path that is named outright", () => {
    const named = createScope({ include: ["config/comfyvn.secrets.json", ".env", "logs/server.log"], exclude: [] });
    expect(named.include.filter(named.holds)).toEqual([]);
  });
});

test("an ordinary folder is cleared at one question", () => {
  const ordinary = ["assets/", "datas/", "assets/cache/"];
  expect(ordinary.filter((prefix) => mayHardExcludeAny(prefix, "webhooks.json\0secrets.env\0"))).toEqual([]);
});

test("what only resembles them is the user's and is kept", () => {
  expectHeld([
    "config/comfyvn.json",
    "config/secrets.json",
    ".environment",
    "assets/env",
    "assets/x.env",
    "cache/clouds/a",
    "cache/other",
    "backups/mine.zip",
    "assets/logs/a",
    "logs.txt",
    "Logs/chapter.txt",
    "data/webhooks",
    "data/webhooks/notes.txt",
    "data/webhooksy.json",
    "data/save/webhooks.json",
    "assets/webhooks.json",
    "assets/.hero.png.tmp",
    "assets/hero.0123456789abcdef.tmp",
  ]);
});
