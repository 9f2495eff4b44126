import { expect, test } from "bun:test";
import type { Clock } from "../../src/core/clock.ts";
import { createTreeHasher } from "../../src/manifest/tree-hasher.ts";
import { HashIndex, type HashStore } from "../../src/manifest/hash-index.ts";
import type { HashRecord } from "../../src/manifest/hash-record.ts";
import { createScope } from "../../src/manifest/scope.ts";
import { seededRandom } from "../support/virtual-clock.ts";
import { FakeTree } from "./fake-tree.ts";
import { newHasher, scan } from "./support.ts";

const STEPS = 400;
const NAMES = Array.from({ length: 12 }, (_, k) => `file-${k}`);
/** Nanoseconds: a file system of today, of the kernel's ticks, of HFS+, of FAT. */
const TICKS = [1n, 4_000_000n, 1_000_000_000n, 2_000_000_000n];

/** The store of an index, as it would be in a file. */
function memoryStore(): () => HashStore {
  const blobs: Uint8Array<ArrayBuffer>[] = [];
  const write = ({ bytes }: HashRecord) => blobs.push(bytes.slice());
  return () => {
    return { load: () => [...blobs], save: (changed) => changed.forEach(write), close: () => undefined };
  };
}

test.each(TICKS)("after any edits a scan with the index equals one without, on a clock of %p ns", async (tickNs) => {
  const random = seededRandom(Number(tickNs % 1_000_003n));
  const fake = new FakeTree(tickNs);
  const clock: Clock = { now: () => Number(fake.nowNs / 1_000_000n), sleep: () => Promise.resolve() };
  const openStore = memoryStore();
  const openIndex = () => Promise.resolve(new HashIndex(openStore(), `${fake.root}/`));
  const hashTree = createTreeHasher({ tree: fake.tree, newHasher, clock, openIndex });
  const partly = createScope({ include: ["."], exclude: ["*-1*"] });
  let readWithIndex = 0;
  for (let step = 0; step < STEPS; step++) {
    const edits = Math.floor(random() * 3);
    for (let k = 0; k < edits; k++) edit(fake, random);
    const options = { tree: fake.tree, clock, ...(random() < 0.2 ? { scope: partly } : {}) };
    const before = fake.opened;
    const indexed = await scan(fake.root, { ...options, hashTree });
    readWithIndex += fake.opened - before;
    const plain = await scan(fake.root, options);
    expect([step, [...indexed.manifest.entries.values()]]).toEqual([step, [...plain.manifest.entries.values()]]);
    fake.nowNs += passed(random);
  }
  // Otherwise the index was never trusted, and the test has shown nothing.
  expect(readWithIndex).toBeLessThan((STEPS * NAMES.length) / 2);
});

function edit(fake: FakeTree, random: () => number): void {
  const pick = () => NAMES[Math.floor(random() * NAMES.length)] ?? "";
  const [name, other] = [pick(), pick()];
  // Few lengths and few contents, so that files often have the same size and the same bytes come back.
  const content = () => "xyz".charAt(Math.floor(random() * 3)).repeat(1 + Math.floor(random() * 2));
  const kinds: (() => void)[] = [
    () => fake.write(name, content()),
    () => fake.write(name, content()),
    () => fake.write(name, ""),
    () => fake.remove(name),
    () => fake.rename(name, other),
    () => fake.swap(name, other),
    () => fake.touch(name, fake.mtimeNs(other)),
    () => {
      const mtimeNs = fake.mtimeNs(name);
      fake.write(name, content());
      fake.touch(name, mtimeNs);
    },
    () => fake.touch(name, fake.nowNs + 10_000_000_000n),
  ];
  kinds[Math.floor(random() * kinds.length)]?.();
  // Some edits fall into one tick of the clock, some do not.
  fake.nowNs += BigInt(Math.floor(random() * 3_000_000));
}

/** Until the next scan, nanoseconds: mostly less than two seconds, now and then backwards. */
function passed(random: () => number): bigint {
  const kind = random();
  const seconds =
    kind < 0.5 ? random() * 0.01 : kind < 0.8 ? random() * 3 : kind < 0.97 ? 5 + random() * 100 : -random() * 50;
  return BigInt(Math.floor(seconds * 1e9));
}
