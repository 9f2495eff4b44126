import { beforeAll, describe, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
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

/**
 * Runs before each install, in a folder of the install's own below the clone: counts it, holds it up while the clone's
 * file \`hold\` stands, and fails when \`broken\` does.
 */
const PREINSTALL = "echo >> ../installs; while [ -e ../hold ]; do sleep 0.05; done; [ ! -e ../broken ]";

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
  for (const name of ["greeting", "test", "locking"]) mkdirSync(join(template, name), { recursive: true });
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
      // As seen from the install's own folder.
      dependencies: { greeting: "file:../greeting" },
    }),
  );
  cpSync(join(REPOSITORY, "bunfig.toml"), join(template, "bunfig.toml"));
  for (const name of ["with-dependencies.ts", "with-dependencies"]) {
    cpSync(join(REPOSITORY, "scripts", name), join(template, "scripts", name), { recursive: true });
  }
  writeFileSync(join(template, "main.ts"), TARGET);
  writeFileSync(
    join(template, "test/a.test.ts"),
    'import { test } from "bun:test";\ntest("fixture test runs", () => undefined);\n',
  );
  const locking = join(template, "locking");
  cpSync(join(template, "package.json"), join(locking, "package.json"));
  Bun.spawnSync([process.execPath, "install", "--lockfile-only"], { cwd: locking, env: environment });
  renameSync(join(locking, "bun.lock"), join(template, "bun.lock"));
  rmSync(locking, { recursive: true });
  rmSync(join(template, "installs"), { force: true });
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

/** What an install has left beside node_modules. */
function staging(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith(".node_modules"));
}

/** Lets the install under way in `folder` go on once `see` has looked at it. */
async function whileInstalling(folder: string, see: () => void | Promise<void>) {
  const before = installs(folder);
  writeFileSync(join(folder, "hold"), "");
  const child = start(folder, [WITH, "main.ts"]);
  try {
    await until(() => installs(folder) > before);
    await see();
  } finally {
    rmSync(join(folder, "hold"));
  }
  return finish(child);
}

/** An installed clone whose lock file has changed since. */
async function outdated(): Promise<string> {
  const folder = await installed();
  writeFileSync(join(folder, "bun.lock"), `${readFileSync(join(folder, "bun.lock"), "utf8")}\n`);
  return folder;
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

  test("says so when node_modules is a file, without a stack trace, and leaves it", async () => {
    const folder = freshClone();
    writeFileSync(join(folder, "node_modules"), "a file is in the way");
    const { stderr, status } = await finish(start(folder, [WITH, "main.ts"]));
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain(`the dependencies belong in ${join(folder, "node_modules")}, which is a file`);
    expect(status).toBe(1);
    expect(readFileSync(join(folder, "node_modules"), "utf8")).toBe("a file is in the way");
  });

  test("says so when the lock cannot be made, without a stack trace", async () => {
    const folder = freshClone();
    mkdirSync(join(folder, ".install-lock"));
    const { stderr, status } = await finish(start(folder, [WITH, "main.ts"]));
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain("the dependencies cannot be installed: ");
    expect(status).toBe(1);
  });

  test("installs without a target", async () => {
    const folder = freshClone();
    const { stdout, status } = await finish(start(folder, [WITH, "install"]));
    expect({ stdout, status, there: existsSync(join(folder, "node_modules/greeting/a.ts")) }).toEqual({
      stdout: "",
      status: 0,
      there: true,
    });
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
    const folder = await outdated();
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

describe("nobody sees half of an install", () => {
  test("there is no node_modules before all of it is there", async () => {
    const folder = freshClone();
    const { stdout } = await whileInstalling(folder, () => {
      expect(staging(folder)).toHaveLength(1);
      expect(existsSync(join(folder, "node_modules"))).toBe(false);
    });
    expect(stdout).toContain("hello");
    expect(staging(folder)).toEqual([]);
  });

  test("an outdated node_modules stays as it was until another takes its place whole", async () => {
    const folder = await outdated();
    writeFileSync(join(folder, "node_modules/old"), "");
    await whileInstalling(folder, () => {
      expect(readdirSync(join(folder, "node_modules"))).toContain("old");
      expect(readdirSync(join(folder, "node_modules"))).toContain("greeting");
    });
    expect(readdirSync(join(folder, "node_modules"))).not.toContain("old");
    expect(staging(folder)).toEqual([]);
  });

  test("an install that fails leaves an outdated node_modules as it was, and nothing beside it", async () => {
    const folder = await outdated();
    writeFileSync(join(folder, "node_modules/old"), "");
    writeFileSync(join(folder, "broken"), "");
    expect((await finish(start(folder, [WITH, "main.ts"]))).status).toBe(1);
    expect(readdirSync(join(folder, "node_modules"))).toContain("old");
    expect(staging(folder)).toEqual([]);
  });

  test("killed when the old node_modules was away and the new one not yet there, the next start mends it", async () => {
    const folder = await outdated();
    mkdirSync(join(folder, ".node_modules-abcdef"));
    renameSync(join(folder, "node_modules"), join(folder, ".node_modules-abcdef/replaced"));
    const { stdout, status } = await finish(start(folder, [WITH, "main.ts"]));
    expect(stdout).toContain("hello");
    expect(status).toBe(0);
    expect(staging(folder)).toEqual([]);
  });

  test("what an install under way writes is not taken for the leftover of a killed one", async () => {
    const folder = freshClone();
    let second: ReturnType<typeof start> | undefined;
    const first = await whileInstalling(folder, async () => {
      const before = staging(folder);
      second = start(folder, [WITH, "main.ts"]);
      const waiting = second.stderr.getReader();
      expect(new TextDecoder().decode((await waiting.read()).value)).toContain("waiting");
      expect(staging(folder)).toEqual(before);
    });
    expect(first.status).toBe(0);
    expect(await second?.exited).toBe(0);
  });

  test("a node_modules that is a link is replaced, and what it leads to is left alone", async () => {
    const folder = freshClone();
    const elsewhere = join(temp, `elsewhere-${clones}`);
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, "precious"), "");
    symlinkSync(elsewhere, join(folder, "node_modules"));
    const { stdout } = await finish(start(folder, [WITH, "main.ts"]));
    expect(stdout).toContain("hello");
    expect(readdirSync(elsewhere)).toEqual(["precious"]);
    expect(lstatSync(join(folder, "node_modules")).isDirectory()).toBe(true);
  });

  test("git sees nothing of an install, neither while it runs nor after it", async () => {
    const folder = freshClone();
    cpSync(join(REPOSITORY, ".gitignore"), join(folder, ".gitignore"));
    writeFileSync(join(folder, "installs"), "");
    writeFileSync(join(folder, "hold"), "");
    const untracked = () =>
      Bun.spawnSync(["git", "ls-files", "--others", "--exclude-standard"], { cwd: folder, env: environment })
        .stdout.toString()
        .split("\n");
    expect(Bun.spawnSync(["git", "init", "-q"], { cwd: folder, env: environment }).exitCode).toBe(0);
    const before = untracked();
    expect(before).toContain("bun.lock");
    await whileInstalling(folder, () => expect(untracked()).toEqual(before));
    expect(untracked()).toEqual(before.filter((name) => name !== "hold"));
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
