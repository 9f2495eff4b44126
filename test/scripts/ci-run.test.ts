import { describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { tempFolder } from "../support/temp-folder.ts";

const REPOSITORY = resolve(import.meta.dir, "../..");
const TIMEOUT_MS = 60_000;

/** Stands for npx: notes what it is asked, and what it does about tests is in a file named after the step. */
const NPX = `#!/bin/bash
folder=$(dirname "$0")/..
echo "$*" >> "$folder/asked"
env > "$folder/environment"
for each; do
  case "$each" in
    --reporter-outfile=*) file=\${each##*/}; [ ! -e "$folder/$file" ] || cp "$folder/$file" "\${each#*=}" ;;
    serve) echo "listening on http://127.0.0.1:1"; exec sleep 60 ;;
    install) [ ! -e "$folder/hang" ] || exec sleep 60 ;;
    check) [ ! -e "$folder/check-fails" ] || exit 1 ;;
    build) (mkdir -p dist/bin; cd dist/bin; echo built > file; sha256sum file > SHA256SUMS) ;;
  esac
done
`;

/** Stands for the S3 server's script: leaves a folder, and a note when it is stopped. */
const RGW = `#!/bin/bash
if [ "$1" = stop ]; then echo stopped >> rgw-stopped; else mkdir -p "$1"; echo "$*" > rgw-started; fi
`;

const NEEDED = ["ceph-mon", "ceph-osd", "radosgw", "ceph", "chromium", "curl", "rclone", "strace"];

const temp = tempFolder();
let projects = 0;

function junit(tests: number, failures: number, skipped: number): string {
  return `<?xml version="1.0"?>\n<testsuites name="bun test" tests="${tests}" assertions="9" failures="${failures}" skipped="${skipped}" time="1">\n<testsuite name="a" tests="77" failures="77" skipped="77"/></testsuites>\n`;
}

/** A folder in which .ci/run finds all it starts; `files` say how it goes. */
function project(files: Readonly<Record<string, string>>): string {
  const folder = join(temp, `project-${++projects}`);
  const tools = join(folder, "tools");
  for (const each of [tools, join(folder, "temp"), join(folder, "test/services")]) mkdirSync(each, { recursive: true });
  cpSync(join(REPOSITORY, ".ci"), join(folder, ".ci"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "packageManager": "bun@1.2.3" }');
  writeFileSync(join(folder, "test/services/ceph-rgw.sh"), RGW);
  writeFileSync(join(tools, "npx"), NPX, { mode: 0o755 });
  writeFileSync(join(tools, "git"), '#!/bin/sh\nfor last; do :; done\nmkdir -p "$last"\n', { mode: 0o755 });
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  writeFileSync(join(folder, "node_modules/.bin/deno"), "#!/bin/sh\n", { mode: 0o755 });
  for (const each of NEEDED) writeFileSync(join(tools, each), "#!/bin/sh\n", { mode: 0o755 });
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  writeFileSync(join(folder, "node_modules/.bin/deno"), "#!/bin/sh\n", { mode: 0o755 });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function start(folder: string) {
  return Bun.spawn(["bash", join(folder, ".ci/run")], {
    cwd: temp,
    env: {
      PATH: `${join(folder, "tools")}:${process.env["PATH"] ?? "/usr/bin:/bin"}`,
      TMPDIR: join(folder, "temp"),
      AWS_PROFILE: "ambient",
      COMFYVN_ROOT: "/ambient",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function run(folder: string) {
  const child = start(folder);
  const [stdout, status] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  return { status, lines: stdout.trimEnd().split("\n") };
}

const GOOD = { "test.xml": junit(3, 0, 0), "integration.xml": junit(2, 0, 0) };

describe(".ci/run", () => {
  test(
    "sums the tests of every runner in its last line, and leaves nothing behind",
    async () => {
      const folder = project(GOOD);
      const { status, lines } = await run(folder);
      expect(lines.at(-1)).toBe("5 passed, 0 failed");
      expect(status).toBe(0);
      expect(existsSync(join(folder, "rgw-started"))).toBe(true);
      expect(existsSync(join(folder, "rgw-stopped"))).toBe(true);
      expect(readdirSync(join(folder, "temp"))).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "a failed test fails it",
    async () => {
      const { status, lines } = await run(project({ ...GOOD, "test.xml": junit(3, 1, 0) }));
      expect(lines.at(-1)).toBe("4 passed, 1 failed");
      expect(status).not.toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    "a skipped test fails it and does not count as passed",
    async () => {
      const { status, lines } = await run(project({ ...GOOD, "integration.xml": junit(2, 0, 1) }));
      expect(lines).toContain("failed step: no skips: 1 tests were skipped");
      expect(lines.at(-1)).toBe("4 passed, 0 failed");
      expect(status).not.toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    "a step that fails is named, fails it, and does not keep the tests from running",
    async () => {
      const { status, lines } = await run(project({ ...GOOD, "check-fails": "" }));
      expect(lines).toContain("failed step: check");
      expect(lines.at(-1)).toBe("5 passed, 0 failed");
      expect(status).not.toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    "a runner that leaves no results is no success",
    async () => {
      const { status, lines } = await run(project({}));
      expect(lines).toContain("failed step: no test passed");
      expect(lines.at(-1)).toBe("0 passed, 0 failed");
      expect(status).not.toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    "runs the pinned bun, and tests see neither AWS settings nor this product's own",
    async () => {
      const folder = project(GOOD);
      await run(folder);
      const asked = readFileSync(join(folder, "asked"), "utf8").trimEnd().split("\n");
      expect(asked.filter((line) => !line.startsWith("-y bun@1.2.3 "))).toEqual([]);
      const environment = readFileSync(join(folder, "environment"), "utf8");
      expect(environment).toMatch(/^CI=true$/m);
      expect(environment).not.toMatch(/^(AWS|COMFYVN)_/m);
    },
    TIMEOUT_MS,
  );

  test(
    "stopped by a signal, it takes down what it started",
    async () => {
      const folder = project({ ...GOOD, hang: "" });
      const child = start(folder);
      while (!existsSync(join(folder, "asked"))) await Bun.sleep(10);
      child.kill("SIGTERM");
      expect(await child.exited).toBe(143);
      expect(readdirSync(join(folder, "temp"))).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "every step, also one that fails, says how long it took",
    async () => {
      const { lines } = await run(project({ ...GOOD, "check-fails": "" }));
      const begun = lines.flatMap((line) => /^--- (\w+) \(at most/.exec(line)?.[1] ?? []);
      const took = lines.flatMap((line) => /^--- (\w+) took \d+\.\d s$/.exec(line)?.[1] ?? []);
      expect(begun).toContain("check");
      expect(took).toEqual(begun);
    },
    TIMEOUT_MS,
  );

  test("names no host but this machine", () => {
    const hosts = readFileSync(join(REPOSITORY, ".ci/run"), "utf8").matchAll(/https?:\/\/([^/:"'$]+)/g);
    expect([...new Set(Array.from(hosts, ([, host]) => host))]).toEqual(["127.0.0.1"]);
  });
});
