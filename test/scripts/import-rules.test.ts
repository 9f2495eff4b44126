import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findImportFaults } from "../../scripts/check/import-rules.ts";
import { tempFolder } from "../support/temp-folder.ts";

const temp = tempFolder();
let projects = 0;

/** The faults of a project whose src/ holds one file. */
function faultsOf(file: string, text: string): Promise<string[]> {
  const project = join(temp, `project-${++projects}`);
  mkdirSync(dirname(join(project, "src", file)), { recursive: true });
  writeFileSync(join(project, "src", file), text);
  return findImportFaults(project);
}

interface Planted {
  readonly hazard: string;
  readonly file: string;
  readonly text: string;
  readonly fault: string;
}

const PLANTED: readonly Planted[] = [
  {
    hazard: "core imports a feature",
    file: "core/a.ts",
    text: 'import { b } from "../vault/b.ts";',
    fault: "imports src/vault/b.ts; src/core/ may import nothing",
  },
  {
    hazard: "a feature imports its neighbour",
    file: "vault/a.ts",
    text: 'import { b } from "../manifest/b.ts";',
    fault: "imports src/manifest/b.ts",
  },
  {
    hazard: "a neighbour's types count as well",
    file: "sync/a.ts",
    text: 'import type { B } from "../server/b.ts";',
    fault: "imports src/server/b.ts",
  },
  {
    hazard: "a type by import() counts as well",
    file: "sync/a.ts",
    text: 'export type A = import("../vault/b.ts").B;',
    fault: "imports src/vault/b.ts",
  },
  {
    hazard: "a re-export counts as well",
    file: "core/a.ts",
    text: 'export { b } from "../config/b.ts";',
    fault: "imports src/config/b.ts",
  },
  {
    hazard: "a re-export of everything counts as well",
    file: "core/a.ts",
    text: 'export * from "../config/b.ts";',
    fault: "imports src/config/b.ts",
  },
  {
    hazard: "a lazy import counts as well",
    file: "core/a.ts",
    text: 'export const a = () => import("../config/b.ts");',
    fault: "imports src/config/b.ts",
  },
  {
    hazard: "an import for its effect counts as well",
    file: "core/a.ts",
    text: 'import "../config/b.ts";',
    fault: "imports src/config/b.ts",
  },
  {
    hazard: "a provider imports its sibling",
    file: "providers/s3/a.ts",
    text: 'import { b } from "../local/b.ts";',
    fault: "imports src/providers/local/b.ts",
  },
  {
    hazard: "what providers share imports a provider",
    file: "providers/retry.ts",
    text: 'import { b } from "./s3/b.ts";',
    fault: "imports src/providers/s3/b.ts",
  },
  {
    hazard: "a provider knows of plans",
    file: "providers/memory/a.ts",
    text: 'import { b } from "../../sync/b.ts";',
    fault: "imports src/sync/b.ts",
  },
  {
    hazard: "sync knows a provider by name",
    file: "sync/a.ts",
    text: 'import { b } from "../providers/s3/b.ts";',
    fault: "imports src/providers/s3/b.ts",
  },
  {
    hazard: "the server goes past the app",
    file: "server/a.ts",
    text: 'import { b } from "../vault/b.ts";',
    fault: "imports src/vault/b.ts",
  },
  {
    hazard: "a feature imports the app",
    file: "hooks/a.ts",
    text: 'import { b } from "../app.ts";',
    fault: "imports src/app.ts",
  },
  {
    hazard: "a feature takes a platform by itself",
    file: "vault/a.ts",
    text: 'import { b } from "../platform/bun/b.ts";',
    fault: "imports src/platform/bun/b.ts",
  },
  {
    hazard: "more than types from the platform's contract",
    file: "vault/a.ts",
    text: 'import { b } from "../platform/contract.ts";',
    fault: "imports src/platform/contract.ts",
  },
  {
    hazard: "types and a value in one import are not types only",
    file: "vault/a.ts",
    text: 'import { type Files, b } from "../platform/contract.ts";',
    fault: "imports src/platform/contract.ts",
  },
  {
    hazard: "node outside the platform",
    file: "manifest/a.ts",
    text: 'import { b } from "node:fs";',
    fault: "imports the package node:fs",
  },
  {
    hazard: "bun outside the platform",
    file: "manifest/a.ts",
    text: 'import { b } from "bun:sqlite";',
    fault: "imports the package bun:sqlite",
  },
  {
    hazard: "bun in the rooms that Deno shares",
    file: "platform/node/a.ts",
    text: 'import { b } from "bun:sqlite";',
    fault: "imports the package bun:sqlite",
  },
  {
    hazard: "Elysia outside the server",
    file: "sync/a.ts",
    text: 'import { Elysia } from "elysia";',
    fault: "imports the package elysia",
  },
  {
    hazard: "a package whose name only begins like an allowed one",
    file: "server/a.ts",
    text: 'import { b } from "elysia-other";',
    fault: "imports the package elysia-other",
  },
  {
    hazard: "src imports tests",
    file: "core/a.ts",
    text: 'import { b } from "../../test/support/b.ts";',
    fault: "imports ../../test/support/b.ts, which lies outside src/",
  },
  {
    hazard: "src imports scripts",
    file: "main.ts",
    text: 'import { b } from "../scripts/b.ts";',
    fault: "imports ../scripts/b.ts, which lies outside src/",
  },
  {
    hazard: "a computed import that no rule can judge",
    file: "providers/registry.ts",
    text: "export const open = (name: string) => import(`./${name}/index.ts`);",
    fault: "imports by a computed name",
  },
  {
    hazard: "a relative import without its extension",
    file: "core/a.ts",
    text: 'import { b } from "./b";',
    fault: "a relative import names a file",
  },
  { hazard: "a room that the table does not know", file: "misc/a.ts", text: "", fault: "lies in no room" },
];

describe("a planted import is found", () => {
  for (const { hazard, file, text, fault } of PLANTED) {
    test(hazard, async () => {
      const faults = await faultsOf(file, text);
      expect(faults).toHaveLength(1);
      expect(faults[0]).toStartWith(`src/${file}`);
      expect(faults[0]).toContain(fault);
    });
  }
});

const ALLOWED: readonly Omit<Planted, "fault">[] = [
  { hazard: "files of one room", file: "core/a.ts", text: 'import { b } from "./deep/b.ts";' },
  { hazard: "core", file: "vault/a.ts", text: 'import { b } from "../core/b.ts";' },
  {
    hazard: "types of the platform's contract",
    file: "vault/a.ts",
    text: 'import type { Files } from "../platform/contract.ts";',
  },
  {
    hazard: "its types, marked one by one",
    file: "vault/a.ts",
    text: 'import { type Files } from "../platform/contract.ts";',
  },
  { hazard: "a provider by the registry", file: "providers/registry.ts", text: 'const a = () => import("./s3/b.ts");' },
  { hazard: "a part of an allowed package", file: "config/a.ts", text: 'import { Check } from "typebox/value";' },
  { hazard: "node on a platform", file: "platform/node/a.ts", text: 'import { b } from "node:fs";' },
  {
    hazard: "text that only looks like an import",
    file: "core/a.ts",
    text: '// import "../vault/b.ts"\nconst a = `import "node:fs"`;',
  },
];

describe("what the table allows passes", () => {
  for (const { hazard, file, text } of ALLOWED) {
    test(hazard, async () => {
      expect(await faultsOf(file, text)).toEqual([]);
    });
  }
});

test("a fault names its line", async () => {
  const [fault] = await faultsOf("core/a.ts", 'import { a } from "./a.ts";\n\nimport { b } from "../vault/b.ts";\n');
  expect(fault).toStartWith("src/core/a.ts:3 ");
});

test("a file that cannot be parsed is an error, not a file without imports", async () => {
  await expect(faultsOf("core/a.ts", "import {")).rejects.toThrow("src/core/a.ts cannot be parsed");
});
