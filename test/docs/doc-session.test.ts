import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { tempFolder } from "../support/temp-folder.ts";
import { DocSession } from "./doc-session.ts";

const session = new DocSession(tempFolder());
afterAll(() => session.stop());

test("what a block exports and where it goes lasts, also when it fails", async () => {
  expect((await session.run("export A='1 2'; mkdir -p deep; cd deep; false; echo never")).stdout).toBe("");
  expect(await session.run('echo "$A" "$(basename "$PWD")"')).toMatchObject({ stdout: "1 2 deep\n", status: 0 });
  await session.run("cd ..");
});

test("a failure in the midst of a block or a pipe is one of the block", async () => {
  expect((await session.run("false; true")).status).toBe(1);
  expect((await session.run("false | true")).status).toBe(1);
  expect((await session.run('echo "$NO_SUCH_VARIABLE"')).status).not.toBe(0);
});

test("the folder is a checkout of its own, not the one the tests run in", async () => {
  const { stdout } = await session.run("pwd -P; ls package.json node_modules/typebox/package.json");
  expect(stdout.split("\n")[0]).not.toBe(resolve(import.meta.dir, "../.."));
  expect(stdout).toContain("package.json\n");
});

test("npx runs the pinned bun and no other", async () => {
  const manifest = JSON.parse(readFileSync(resolve(import.meta.dir, "../../package.json"), "utf8"));
  expect(await session.run("npx -y bun@0.0.1 --version")).toMatchObject({ status: 64 });
  expect((await session.run(`npx -y bun@${Bun.version} --version`)).stdout).toBe(`${Bun.version}\n`);
  expect(manifest.devDependencies["bun-types"]).toBe(Bun.version);
});

test("a server's address is there for the blocks after it, and it ends with the session", async () => {
  const script = 'echo "listening on http://127.0.0.1:4242"; trap "exit 0" TERM; while true; do sleep 0.05; done';
  await session.startServer(script);
  expect((await session.run('echo "$BASE_URL"')).stdout).toBe("http://127.0.0.1:4242\n");
  await session.startServer(script.replace("4242", "4243"));
  expect((await session.run('echo "$BASE_URL"')).stdout).toBe("http://127.0.0.1:4243\n");
  await session.stop();
});

test("a server that ends before it listens is an error that shows what it said", async () => {
  await expect(session.startServer("echo oops >&2; exit 5")).rejects.toThrow(/status 5[^]*oops/);
});
