import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { openProvider } from "../../src/providers/local/local-provider.ts";
import { tempFolder } from "../support/temp-folder.ts";

const { files, newHasher } = bunPlatform();
const writer = Bun.fileURLToPath(import.meta.resolve("./local-writer-process.ts"));

function destination(): string {
  const path = join(tempFolder(), "nas");
  mkdirSync(path);
  return path;
}

/** A process of its own that puts `text` at `key` as soon as its stdin says so; it prints `ready`, then its outcome. */
function startWriter(path: string, key: string, text: string, mode: "create" | "hang") {
  return Bun.spawn([process.execPath, writer, path, key, text, mode], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
}

test("of several processes that create one key at once, one wins", async () => {
  const path = destination();
  for (let round = 0; round < 3; round++) {
    const key = `lease-${round}`;
    const writers = ["one", "two", "three", "four"].map((text) => startWriter(path, key, text, "create"));
    const outputs = writers.map((each) => each.stdout.getReader());
    for (const output of outputs) await output.read();
    for (const each of writers) {
      await each.stdin.write("go\n");
      await each.stdin.end();
    }
    const outcomes = await Promise.all(
      outputs.map(async (output) => new TextDecoder().decode((await output.read()).value).trim()),
    );
    expect(outcomes.filter((outcome) => outcome !== "precondition_failed")).toHaveLength(1);
    const winner = outcomes.find((outcome) => outcome !== "precondition_failed");
    expect(readFileSync(join(path, key), "utf8")).toBe(winner ?? "");
  }
});

test("a process killed in the middle of a put leaves nothing that is listed, and the next put succeeds", async () => {
  const path = destination();
  const killed = startWriter(path, "folder/object", "text", "hang");
  const output = killed.stdout.getReader();
  expect(new TextDecoder().decode((await output.read()).value)).toContain("ready");
  await killed.stdin.write("go\n");
  await killed.stdin.flush();
  expect(new TextDecoder().decode((await output.read()).value)).toContain("writing");
  killed.kill("SIGKILL");
  await killed.exited;

  const left = readdirSync(join(path, "folder"));
  expect(left).toHaveLength(1);
  expect(left[0]).toMatch(/^\.object\.[0-9a-f]{16}\.tmp$/);
  const provider = await openProvider({ path }, { files, newHasher });
  for await (const info of provider.list("")) throw new Error(`${info.key} is listed`);
  expect(await provider.stat("folder/object")).toBeUndefined();

  const next = startWriter(path, "folder/object", "text", "create");
  await next.stdin.write("go\n");
  await next.stdin.end();
  await next.exited;
  expect(readFileSync(join(path, "folder", "object"), "utf8")).toBe("text");
});
