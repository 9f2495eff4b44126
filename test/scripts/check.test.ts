import { beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { tempFolder } from "../support/temp-folder.ts";

const REPOSITORY = resolve(import.meta.dir, "../..");
const CONFIGURATION = [
  "scripts/check",
  "scripts/check.ts",
  ".gitignore",
  ".oxlintrc.json",
  "biome.json",
  "knip.json",
  "tsconfig.json",
  "tsconfig.package.json",
  "tsconfig.portable.json",
];
/** In pieces, so that the rules do not find them here. */
const LINT_OFF = ["oxlint", "disable"].join("-");
const TYPES_OFF = ["@ts", "ignore"].join("-");
const TIMEOUT_MS = 60_000;

const temp = tempFolder();
let projects = 0;

/** A small sound project under this repository's own rules, with `files` put in or over it. */
function project(files: Readonly<Record<string, string>>): string {
  const folder = join(temp, `project-${++projects}`);
  for (const name of CONFIGURATION) cpSync(join(REPOSITORY, name), join(folder, name), { recursive: true });
  symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
  const { devDependencies } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8"));
  const used = ["bun-types", "knip", "oxc-parser", "typescript"].map((name) => [name, devDependencies[name]]);
  const sound: Record<string, string> = {
    "package.json": JSON.stringify({
      name: "fixture",
      type: "module",
      exports: "./src/mod.ts",
      devDependencies: Object.fromEntries(used),
    }),
    "src/core/a.ts": "export const a = 1;\n",
    "src/platform/bun/b.ts": "export const b = Bun.version;\n",
    "src/main.ts": 'import { b } from "./platform/bun/b.ts";\n\nprocess.stdout.write(b);\n',
    "src/mod.ts": 'export { a } from "./core/a.ts";\n',
    "test/a.test.ts":
      'import { expect, test } from "bun:test";\nimport { a } from "../src/core/a.ts";\n\ntest("a", () => expect(a).toBe(1));\n',
  };
  for (const [name, text] of Object.entries({ ...sound, ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function check(folder: string, ...steps: readonly string[]) {
  const run = Bun.spawnSync([process.execPath, "scripts/check.ts", ...steps], { cwd: folder });
  return { status: run.exitCode, output: run.stdout.toString(), error: run.stderr.toString() };
}

test(
  "a sound project passes every step",
  () => {
    const { status, output } = check(project({}));
    expect(output).toEndWith("all 8 checks passed\n");
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);

interface Planted {
  readonly hazard: string;
  readonly step: string;
  readonly files: Readonly<Record<string, string>>;
  /** What the step must say. */
  readonly says: RegExp;
}

const PLANTED: readonly Planted[] = [
  {
    hazard: "a wrong type",
    step: "types",
    files: { "src/core/a.ts": 'export const a: number = "1";\n' },
    says: /src\/core\/a\.ts.*TS2322/,
  },
  {
    hazard: "a runtime's global in a portable room, which the whole tree's types know",
    step: "portable",
    files: { "src/core/a.ts": "export const a = Bun.version;\n" },
    says: /src\/core\/a\.ts.*'Bun'/,
  },
  {
    hazard: "a runtime's global hidden behind globalThis",
    step: "portable",
    files: { "src/core/a.ts": "export const a = globalThis.process;\n" },
    says: /src\/core\/a\.ts.*TS7017/,
  },
  {
    hazard: "what Node 20 lacks in what the library is made of",
    step: "package",
    files: { "src/core/a.ts": "export const a = [1].values().map(String);\n" },
    says: /src\/core\/a\.ts.*TS2339/,
  },
  {
    hazard: "a file that nobody formatted",
    step: "format",
    files: { "src/core/a.ts": "export const a=1\n" },
    says: /src\/core\/a\.ts/,
  },
  {
    hazard: "an import against the table of rooms",
    step: "imports",
    files: { "src/core/a.ts": 'export { a } from "../vault/a.ts";\n', "src/vault/a.ts": "export const a = 1;\n" },
    says: /src\/core\/a\.ts:1 imports src\/vault\/a\.ts/,
  },
  {
    hazard: "a check switched off by a comment",
    step: "suppressions",
    files: { "src/core/a.ts": `// ${LINT_OFF}\nexport const a = 1;\n` },
    says: /src\/core\/a\.ts:1/,
  },
  {
    hazard: "a file that nothing imports",
    step: "unused",
    files: { "src/core/dead.ts": "export const dead = 1;\n" },
    says: /src\/core\/dead\.ts/,
  },
  {
    hazard: "an export that nothing imports",
    step: "unused",
    files: { "src/core/a.ts": "export const a = 1;\nexport const dead = 2;\n" },
    says: /dead +src\/core\/a\.ts/,
  },
  {
    hazard: "a package that nothing imports",
    step: "unused",
    files: {
      "package.json": '{ "name": "fixture", "exports": "./src/mod.ts", "dependencies": { "elysia": "1.4.30" } }',
    },
    says: /elysia/,
  },
  {
    hazard: "a package that package.json does not name",
    step: "unused",
    files: { "src/core/a.ts": 'export { Elysia as a } from "elysia";\n' },
    says: /elysia +src\/core\/a\.ts/,
  },
];

describe("a planted fault fails its step", () => {
  for (const { hazard, step, files, says } of PLANTED) {
    test(
      `${step}: ${hazard}`,
      () => {
        const { status, output } = check(project(files), step);
        expect(output).toMatch(new RegExp(`^FAIL ${step} `));
        expect(output).toMatch(says);
        expect(output).toEndWith("1 of 1 checks failed\n");
        expect(status).toBe(1);
      },
      TIMEOUT_MS,
    );
  }
});

/** Rule by rule, a file that breaks it. */
const LINT: Readonly<Record<string, readonly [file: string, text: string]>> = {
  "typescript(no-floating-promises)": [
    "src/core/floating.ts",
    "export function f(p: Promise<void>): void {\n  p;\n}\n",
  ],
  "typescript(no-misused-promises)": [
    "src/core/misused.ts",
    "export const f = (p: Promise<boolean>): number => (p ? 1 : 2);\n",
  ],
  "typescript(no-explicit-any)": ["src/core/any.ts", "export const a: any = 1;\n"],
  "typescript(no-unsafe-assignment)": ["src/core/unsafe.ts", 'export const a: string = JSON.parse("1");\n'],
  "typescript(ban-ts-comment)": ["src/core/comment.ts", `// ${TYPES_OFF}\nexport const a = 1;\n`],
  "typescript(no-non-null-assertion)": ["src/core/non-null.ts", "export const f = (a?: number): number => a!;\n"],
  "typescript(only-throw-error)": ["src/core/throws.ts", 'export function f(): never {\n  throw "text";\n}\n'],
  "import(no-default-export)": ["src/core/default.ts", "export default 1;\n"],
  "import(no-cycle)": ["src/core/cycle.ts", 'import type { B } from "./cycle-b.ts";\nexport type A = B | 1;\n'],
  "unicorn(filename-case)": ["src/core/camelCase.ts", "export const a = 1;\n"],
  "eslint(no-console)": ["src/core/console.ts", 'console.log("a");\n'],
  "eslint(max-lines)": ["src/core/long.ts", "export const a = [\n" + "  1,\n".repeat(400) + "];\n"],
  "eslint(no-restricted-properties)": [
    "test/skipped.test.ts",
    'import { test } from "bun:test";\n\ntest.skip("a", () => undefined);\n',
  ],
};

const RUNTIME_GLOBALS = ["Bun", "Deno", "process", "Buffer"];

describe("no portable room knows a runtime", () => {
  /** Where the library and the worker are made; the rooms beside them are in the same list. */
  const ROOMS = ["core/a.ts", "vault/b.ts", "manifest/b.ts", "sync/b.ts", "hooks/webhooks/b.ts", "providers/s3/b.ts"];
  const GLOBALS = ["Bun.version", "Deno.version", "process.pid", 'Buffer.from("a")', "require"];
  const folder = project(
    Object.fromEntries(
      [...ROOMS, "mod.ts", "edge.ts"].map((file) => [
        `src/${file}`,
        `import "node:fs";\n${GLOBALS.map((text, i) => `export const a${i} = ${text};\n`).join("")}`,
      ]),
    ),
  );

  test(
    "by its globals",
    () => {
      const { status, output } = check(folder, "portable");
      expect(status).toBe(1);
      for (const file of [...ROOMS, "mod.ts", "edge.ts"]) {
        for (const name of ["Bun", "Deno", "process", "Buffer", "require"]) {
          expect(output).toMatch(new RegExp(`src/${file}.*'${name}'`));
        }
      }
    },
    TIMEOUT_MS,
  );

  test(
    "by its modules",
    () => {
      const { status, output } = check(folder, "imports");
      expect(status).toBe(1);
      for (const file of [...ROOMS, "mod.ts", "edge.ts"]) {
        expect(output).toContain(`src/${file}:1 imports the package node:fs`);
      }
    },
    TIMEOUT_MS,
  );
});

describe("lint", () => {
  let found: { filename: string; code: string }[] = [];

  beforeAll(() => {
    const files = Object.fromEntries(Object.values(LINT));
    for (const name of RUNTIME_GLOBALS) files[`src/sync/${name.toLowerCase()}.ts`] = `export const a = ${name};\n`;
    files["src/core/cycle-b.ts"] = 'import type { A } from "./cycle.ts";\nexport type B = A | 2;\n';
    const folder = project(files);
    const linter = [process.execPath, "node_modules/.bin/oxlint", "--type-aware", "-f", "json"];
    found = JSON.parse(Bun.spawnSync(linter, { cwd: folder }).stdout.toString()).diagnostics;
  }, TIMEOUT_MS);

  for (const [rule, [file]] of Object.entries(LINT)) {
    test(`${rule} holds`, () => {
      expect(found).toContainEqual(expect.objectContaining({ filename: file, code: rule }));
    });
  }

  for (const name of RUNTIME_GLOBALS) {
    test(`the global ${name} is refused where no platform is`, () => {
      const file = `src/sync/${name.toLowerCase()}.ts`;
      expect(found).toContainEqual(expect.objectContaining({ filename: file, code: "eslint(no-restricted-globals)" }));
    });
  }

  test("nothing is said of the sound files beside them", () => {
    const planted = [...Object.values(LINT).map(([file]) => file), "src/core/cycle-b.ts"];
    const others = found.filter(({ filename }) => !planted.includes(filename) && !filename.startsWith("src/sync/"));
    expect(others).toEqual([]);
  });

  test(
    "a finding fails the step",
    () => {
      const { status, output } = check(project({ "src/core/b.ts": "export default 1;\n" }), "lint");
      expect(output).toContain("no-default-export");
      expect(status).toBe(1);
    },
    TIMEOUT_MS,
  );
});

test("a step that does not exist is refused, not passed", () => {
  const { status, error } = check(project({}), "lnit");
  expect(error).toContain("no such step: lnit");
  expect(status).toBe(2);
});
