import { beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { tempFolder } from "../support/temp-folder.ts";

const REPOSITORY = resolve(import.meta.dir, "../..");

/** Says which arguments it got, ends with 7 on SIGTERM, and waits for one when told to. */
const TARGET = `
import { greeting } from "greeting";
process.on("SIGTERM", () => process.exit(7));
console.log(JSON.stringify({ greeting, arguments: process.argv.slice(2), script: process.argv[1], pid: process.pid }));
if (process.argv.includes("--fail")) process.exit(3);
if (process.argv.includes("--wait")) setInterval(() => undefined, 1000);
`;

/** Runs before each install: counts it, and holds it up while the file \`hold\` stands. */
const PREINSTALL = "echo >> installs; while [ -e hold ]; do sleep 0.05; done; [ ! -e broken ]";

const temp = tempFolder();
const environment = {
  PATH: "/usr/bin:/bin",
  HOME: temp,
  TMPDIR: temp,
  BUN_INSTALL_CACHE_DIR: join(temp, "cache"),
};
let template = "";

beforeAll(async () => {
  template = join(temp, "template");
  mkdirSync(join(template, "greeting"), { recursive: true });
  writeFileSync(
    join(template, "greeting/package.json"),
    JSON.stringify({ name: "greeting", version: "1.0.0", module: "a.ts" }),
  );
  writeFileSync(join(template, "greeting/a.ts"), 'export const greeting = "hello";\n');
  writeFileSync(
    join(template, "package.json"),
    JSON.stringify({
      name: "fixture",
      scripts: {
        preinstall: PREINSTALL,
        serve: "bun scripts/with-dependencies.ts main.ts serve",
        test: "bun scripts/with-dependencies.ts test",
      },
      dependencies: { greeting: "file:./greeting" },
    }),
  );
  cpSync(join(REPOSITORY, "bunfig.toml"), join(template, "bunfig.toml"));
  cpSync(join(REPOSITORY, "scripts/with-dependencies.ts"), join(template, "scripts/with-dependencies.ts"));
  writeFileSync(join(template, "main.ts"), TARGET);
  mkdirSync(join(template, "test"));
  writeFileSync(
    join(template, "test/a.test.ts"),
    'import { test } from "bun:test";\ntest("fixture test runs", () => undefined);\n',
  );
  Bun.spawnSync([process.execPath, "install", "--lockfile-only"], { cwd: template, env: environment });
  expect(existsSync(join(template, "bun.lock"))).toBe(true);
  rmSync(join(template, "installs"), { force: true });
  rmSync(join(template, "node_modules"), { recursive: true, force: true });
});

let clones = 0;

/** A new copy of the fixture with nothing installed. */
function freshClone(): string {
  const folder = join(temp, `clone-${++clones}`);
  cpSync(template, folder, { recursive: true });
  return folder;
}

function installs(folder: string): number {
  const log = join(folder, "installs");
  return existsSync(log) ? readFileSync(log, "utf8").length : 0;
}

function start(folder: string, command: readonly string[], cwd = folder) {
  return Bun.spawn([process.execPath, ...command], { cwd, env: environment, stdout: "pipe", stderr: "pipe" });
}

const WITH = "scripts/with-dependencies.ts";

async function finish(child: ReturnType<typeof start>) {
  const [stdout, stderr, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, status };
}

async function firstLine(child: ReturnType<typeof start>): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    if (text.includes("\n")) break;
  }
  return text;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(5);
}

async function installed(): Promise<string> {
  const folder = freshClone();
  const { status, stderr } = await finish(start(folder, [WITH, "main.ts"]));
  expect(stderr).toContain("installing");
  expect(status).toBe(0);
  return folder;
}

describe("a fresh clone", () => {
  test("installs first and keeps stdout for the target", async () => {
    const folder = freshClone();
    const { stdout, status } = await finish(start(folder, ["run", "serve", "--port", "0"]));
    expect(JSON.parse(stdout)).toMatchObject({
      greeting: "hello",
      arguments: ["serve", "--port", "0"],
      script: join(folder, "main.ts"),
    });
    expect(status).toBe(0);
  });

  test("needs no bun in PATH and does not run a broken one of node_modules", async () => {
    const folder = freshClone();
    mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
    writeFileSync(join(folder, "node_modules/.bin/bun"), "#!/bin/sh\nexit 99\n", { mode: 0o755 });
    const { stdout, status } = await finish(start(folder, ["run", "serve"]));
    expect(stdout).toContain("hello");
    expect(status).toBe(0);
  });

  test("is installed once when two start together", async () => {
    const folder = freshClone();
    writeFileSync(join(folder, "hold"), "");
    const first = start(folder, [WITH, "main.ts"]);
    await until(() => installs(folder) === 1);
    const second = start(folder, [WITH, "main.ts"]);
    const waiting = second.stderr.getReader();
    expect(new TextDecoder().decode((await waiting.read()).value)).toContain("waiting");
    rmSync(join(folder, "hold"));
    expect((await finish(first)).stdout).toContain("hello");
    expect(await firstLine(second)).toContain("hello");
    expect(await second.exited).toBe(0);
    expect(installs(folder)).toBe(1);
  });

  test("is taken up again after a killed install", async () => {
    const folder = freshClone();
    writeFileSync(join(folder, "hold"), "");
    const killed = start(folder, [WITH, "main.ts"]);
    await until(() => installs(folder) === 1);
    killed.kill("SIGKILL");
    await killed.exited;
    rmSync(join(folder, "hold"));
    const { stdout, status } = await finish(start(folder, [WITH, "main.ts"]));
    expect(stdout).toContain("hello");
    expect(status).toBe(0);
    expect(installs(folder)).toBe(2);
  });

  test("ends with 1 and a sentence that says what to do when the install fails", async () => {
    const folder = freshClone();
    writeFileSync(join(folder, "broken"), "");
    const { stdout, stderr, status } = await finish(start(folder, [WITH, "main.ts"]));
    expect(stdout).toBe("");
    expect(stderr.trimEnd().split("\n").at(-1)).toContain(
      "the dependencies could not be installed, see above: check the network",
    );
    expect(status).toBe(1);
  });

  test("says so when node_modules cannot be made, without a stack trace", async () => {
    const folder = freshClone();
    writeFileSync(join(folder, "node_modules"), "a file is in the way");
    const { stderr, status } = await finish(start(folder, [WITH, "main.ts"]));
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain(`the dependencies cannot be installed in ${join(folder, "node_modules")}`);
    expect(status).toBe(1);
  });

  test("stopped while it installs, ends by that signal", async () => {
    const folder = freshClone();
    writeFileSync(join(folder, "hold"), "");
    const child = start(folder, [WITH, "main.ts"]);
    await until(() => installs(folder) === 1);
    child.kill("SIGTERM");
    const { stderr, stdout, status } = await finish(child);
    expect(stderr).toContain("the install was stopped by SIGTERM");
    expect(stdout).toBe("");
    expect(status).toBe(143);
  });
});

describe("with the dependencies there", () => {
  test("nothing is installed again and nothing is said", async () => {
    const folder = await installed();
    const child = start(folder, [WITH, "main.ts", "a b", "$c"]);
    const { stdout, stderr } = await finish(child);
    expect(JSON.parse(stdout)).toEqual({
      greeting: "hello",
      arguments: ["a b", "$c"],
      script: join(folder, "main.ts"),
      pid: child.pid,
    });
    expect(stderr).toBe("");
    expect(installs(folder)).toBe(1);
  });

  test("a package that went missing is installed again", async () => {
    const folder = await installed();
    rmSync(join(folder, "node_modules/greeting"), { recursive: true });
    const { stdout } = await finish(start(folder, [WITH, "main.ts"]));
    expect(stdout).toContain("hello");
    expect(installs(folder)).toBe(2);
  });

  test("another lock file is installed", async () => {
    const folder = await installed();
    writeFileSync(join(folder, "bun.lock"), `${readFileSync(join(folder, "bun.lock"), "utf8")}\n`);
    await finish(start(folder, [WITH, "main.ts"]));
    expect(installs(folder)).toBe(2);
  });

  test("the target's exit status comes back", async () => {
    expect((await finish(start(await installed(), [WITH, "main.ts", "--fail"]))).status).toBe(3);
  });

  test("it starts from any folder", async () => {
    const folder = await installed();
    const { stdout } = await finish(start(folder, [join(folder, WITH), join(folder, "main.ts")], temp));
    expect(JSON.parse(stdout)).toMatchObject({ script: join(folder, "main.ts") });
  });
});

for (const state of ["fresh", "installed"] as const) {
  test(`SIGTERM reaches the target and its status comes back (${state})`, async () => {
    const folder = state === "fresh" ? freshClone() : await installed();
    const child = start(folder, ["run", "serve", "--wait"]);
    expect(await firstLine(child)).toContain("hello");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(7);
  });

  test(`test mode runs bun test with its arguments (${state})`, async () => {
    const folder = state === "fresh" ? freshClone() : await installed();
    const { stderr, status } = await finish(start(folder, [join(folder, WITH), "test", "-t", "fixture"], temp));
    expect(stderr).toContain("1 pass");
    expect(status).toBe(0);
    expect((await finish(start(folder, [WITH, "test", "-t", "no such test"]))).status).toBe(1);
  });
}

test("without a target it says how it is used", async () => {
  const { stderr, status } = await finish(start(freshClone(), [WITH]));
  expect(stderr).toContain("usage");
  expect(status).toBe(2);
});
