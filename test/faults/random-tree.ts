import { existsSync, mkdirSync, renameSync, rmSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Mirror } from "./mirror.ts";
import type { SeededRandom } from "./seeded-random.ts";

export interface TreeSizes {
  /** Files at the start. */
  readonly smallFiles: number;
  readonly smallBytesMax: number;
  readonly largeFilesMax: number;
  /** More than the provider sends in one request. */
  readonly largeBytesMin: number;
  readonly largeBytesMax: number;
}

/** Folders that the tree lives in: the include paths of its runs. */
export const TREE_FOLDERS = ["assets", "models"] as const;

const NAMES = ["plain.png", "ü 😀.txt", "a+b%20c.json", 'quote\'s "q".md', "#hash?.bin", " lead", "dots..."];

/** The files of a mirror, changed as a seed says: added, overwritten, moved, deleted, and files that become folders. */
export class RandomTree {
  readonly #random: SeededRandom;
  readonly #small = new Set<string>();
  readonly #large = new Set<string>();
  #next = 0;

  constructor(
    private readonly mirror: Mirror,
    private readonly sizes: TreeSizes,
    random: SeededRandom,
  ) {
    this.#random = random.fork();
    for (const folder of TREE_FOLDERS) mkdirSync(join(mirror.root, folder), { recursive: true });
    for (let n = 0; n < sizes.smallFiles; n++) this.#addSmall();
    if (sizes.largeFilesMax > 0) this.#addLarge();
  }

  /** Changes some files. @returns content bytes that a run has to send, and how many changes there were */
  change(): { readonly bytes: number; readonly changes: number } {
    const random = this.#random;
    const steps: (() => number)[] = [];
    for (let n = random.integer(3, 10); n > 0; n--) steps.push(() => this.#addSmall());
    for (let n = random.integer(1, 6); n > 0; n--) steps.push(() => this.#overwriteSmall());
    // As many as are added on the average, so that the tree keeps its size.
    for (let n = random.integer(2, 8); n > 0; n--) steps.push(() => this.#deleteSmall());
    for (let n = random.integer(0, 4); n > 0; n--) steps.push(() => this.#moveSmall());
    if (random.chance(0.3)) steps.push(() => this.#fileBecomesFolder());
    if (random.chance(0.3)) steps.push(() => this.#touch());
    if (random.chance(0.6)) steps.push(() => this.#changeLarge());
    return { bytes: steps.reduce((sum, step) => sum + step(), 0), changes: steps.length };
  }

  #addSmall(): number {
    const folder = this.#random.pick(TREE_FOLDERS);
    const n = this.#next++;
    return this.#write(this.#small, `${folder}/${n % 7}/${n} ${this.#random.pick(NAMES)}`, this.#smallBytes());
  }

  #overwriteSmall(): number {
    const path = this.#pick(this.#small);
    return path === undefined ? 0 : this.#write(this.#small, path, this.#smallBytes());
  }

  #deleteSmall(): number {
    const path = this.#pick(this.#small);
    if (path !== undefined && this.#small.size > this.sizes.smallFiles / 2) this.#remove(this.#small, path);
    return 0;
  }

  #moveSmall(): number {
    return this.#move(this.#small, this.#pick(this.#small), `assets/moved/${this.#next++}`);
  }

  #fileBecomesFolder(): number {
    const path = this.#pick(this.#small);
    if (path === undefined) return 0;
    this.#remove(this.#small, path);
    return this.#write(this.#small, `${path}/inner ${this.#next++}`, this.#smallBytes());
  }

  #touch(): number {
    const path = this.#pick(this.#small);
    const seconds = this.#random.integer(1_000_000_000, 1_700_000_000);
    if (path !== undefined) utimesSync(join(this.mirror.root, path), seconds, seconds);
    return 0;
  }

  #changeLarge(): number {
    const path = this.#pick(this.#large);
    const roll = this.#random.next();
    if (path === undefined || (roll < 0.35 && this.#large.size < this.sizes.largeFilesMax)) return this.#addLarge();
    if (roll < 0.5) return this.#move(this.#large, path, `models/moved ${this.#next++}.bin`);
    if (roll < 0.65) return this.#remove(this.#large, path);
    return this.#write(this.#large, path, this.#largeBytes());
  }

  #addLarge(): number {
    return this.#write(this.#large, `models/large ${this.#next++}.bin`, this.#largeBytes());
  }

  #smallBytes(): number {
    return this.#random.chance(0.05) ? 0 : this.#random.integer(1, this.sizes.smallBytesMax);
  }

  #largeBytes(): number {
    return this.#random.integer(this.sizes.largeBytesMin, this.sizes.largeBytesMax);
  }

  #pick(from: ReadonlySet<string>): string | undefined {
    return from.size === 0 ? undefined : this.#random.pick([...from]);
  }

  #write(set: Set<string>, path: string, length: number): number {
    this.mirror.write(path, this.#random.bytes(length));
    set.add(path);
    return length;
  }

  #move(set: Set<string>, from: string | undefined, to: string): number {
    if (from === undefined || existsSync(join(this.mirror.root, to))) return 0;
    mkdirSync(dirname(join(this.mirror.root, to)), { recursive: true });
    renameSync(join(this.mirror.root, from), join(this.mirror.root, to));
    set.delete(from);
    set.add(to);
    return 0;
  }

  #remove(set: Set<string>, path: string): number {
    rmSync(join(this.mirror.root, path));
    set.delete(path);
    return 0;
  }
}
