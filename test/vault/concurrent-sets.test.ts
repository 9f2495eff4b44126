import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bunPlatform } from "../../src/platform/bun/bun-platform.ts";
import { fileVaultStorage } from "../../src/vault/file-vault-storage.ts";
import { SecretsVault } from "../../src/vault/secrets-vault.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { backupsOf, ITERATIONS_FEW } from "./vault-helpers.ts";

const ROUNDS = 50;

/** A process that sets the keys it is told to. */
class Writer {
  readonly #process;
  readonly #lines: AsyncIterator<string>;

  constructor(path: string) {
    this.#process = Bun.spawn([process.execPath, join(import.meta.dir, "set-worker.ts"), path], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.#lines = linesOf(this.#process.stdout);
  }

  async line(): Promise<string | undefined> {
    const next = await this.#lines.next();
    return next.done === true ? undefined : next.value;
  }

  async set(key: string): Promise<void> {
    await this.#process.stdin.write(`${key}\n`);
    await this.#process.stdin.flush();
    expect(await this.line()).toBe(`set ${key}`);
  }

  async end(): Promise<void> {
    await this.#process.stdin.end();
    expect(await this.#process.exited).toBe(0);
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

test(`security 23: ${ROUNDS} rounds of two processes that set at once lose no update`, async () => {
  const path = join(tempFolder(), "vault.json");
  const vault = new SecretsVault(fileVaultStorage(bunPlatform().files, path), { iterations: ITERATIONS_FEW });
  await vault.create({}, "pw");
  const writers = [new Writer(path), new Writer(path)];
  for (const writer of writers) expect(await writer.line()).toBe("ready");
  const expected: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const keys = writers.map((_, index) => `round${round}_writer${index}`);
    await Promise.all(writers.map((writer, index) => writer.set(keys[index] ?? "")));
    expected.push(...keys);
    expect(Object.keys(await vault.unlock("pw")).toSorted()).toEqual(expected.toSorted());
  }
  for (const writer of writers) await writer.end();
  expect(backupsOf(readFileSync(path, "utf8"))).toHaveLength(5);
}, 120_000);
