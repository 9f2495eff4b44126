import { SyncError } from "../../src/core/errors.ts";
import type { FileStat, QuickStat, TreeFile, TreeListing, TreeReader } from "../../src/platform/contract.ts";

interface Node {
  content: Uint8Array;
  mtimeNs: bigint;
  ctimeNs: bigint;
  readonly inode: bigint;
}

const FOLDER: FileStat = { kind: "directory", size: 0, mtimeNs: 0n, ctimeNs: 0n, inode: 1n, device: 1n, mode: 0o755 };

/**
 * Files in memory whose clock ticks as coarsely as a test likes and goes where it likes: what a real file system does
 * only with luck. One folder below the root holds them all.
 */
export class FakeTree {
  /** Nanoseconds since the epoch. */
  nowNs = 1_700_000_000_000_000_000n;
  /** Files opened so far. */
  opened = 0;
  readonly root = "/fake";
  readonly #files = new Map<string, Node>();
  #nextInode = 2n;

  /** @param tickNs the file system's timestamps are multiples of it */
  constructor(private readonly tickNs: bigint) {}

  names(): string[] {
    return [...this.#files.keys()];
  }

  /** Writes in place when the file is there, as an editor without temp files does. */
  write(name: string, text: string): void {
    const content = new TextEncoder().encode(text);
    const time = this.#tick();
    const node = this.#files.get(name);
    if (node !== undefined) Object.assign(node, { content, mtimeNs: time, ctimeNs: time });
    else this.#files.set(name, { content, mtimeNs: time, ctimeNs: time, inode: this.#nextInode++ });
  }

  touch(name: string, mtimeNs: bigint): void {
    const node = this.#files.get(name);
    if (node !== undefined) Object.assign(node, { mtimeNs, ctimeNs: this.#tick() });
  }

  mtimeNs(name: string): bigint {
    return this.#files.get(name)?.mtimeNs ?? 0n;
  }

  /** As POSIX allows and some network file systems do, the moved file's ctime stays. */
  rename(from: string, to: string): void {
    const node = this.#files.get(from);
    if (node === undefined) return;
    this.#files.delete(from);
    this.#files.set(to, node);
  }

  swap(a: string, b: string): void {
    const [first, second] = [this.#files.get(a), this.#files.get(b)];
    if (first === undefined || second === undefined) return;
    this.#files.set(a, second);
    this.#files.set(b, first);
  }

  remove(name: string): void {
    this.#files.delete(name);
  }

  readonly tree: TreeReader = {
    list: (folder) => this.#list(folder),
    lstat: (path) => this.#stat(path),
    glance: (path) => {
      const stat = this.#stat(path);
      return stat && quickStat(stat);
    },
    stat: (path) => this.#stat(path),
    realPath: (path) => path,
    open: (path) => this.#open(path),
  };

  #tick(): bigint {
    return this.nowNs - (this.nowNs % this.tickNs);
  }

  #list(folder: string): TreeListing {
    const nothing = { files: [], folders: [], symlinks: [], others: [], invalid: [] };
    return folder === this.root ? { ...nothing, folders: ["files"] } : { ...nothing, files: this.names() };
  }

  #stat(path: string): FileStat | undefined {
    if (path === this.root || path === `${this.root}/files`) return FOLDER;
    const node = this.#node(path);
    return node && statOf(node);
  }

  #open(path: string): TreeFile {
    const node = this.#node(path);
    if (node === undefined) throw new SyncError("file_missing", "gone");
    this.opened++;
    let at = 0;
    return {
      stat: () => statOf(node),
      glance: () => quickStat(statOf(node)),
      read: (into) => {
        const part = node.content.subarray(at, at + into.byteLength);
        into.set(part);
        at += part.byteLength;
        return part.byteLength;
      },
      close: () => undefined,
    };
  }

  #node(path: string): Node | undefined {
    const folder = `${this.root}/files/`;
    return path.startsWith(folder) ? this.#files.get(path.slice(folder.length)) : undefined;
  }
}

/** The same as `glance` would tell it. */
export function quickStat({ kind, size, mtimeNs, ctimeNs, inode }: FileStat): QuickStat {
  return {
    isFile: () => kind === "file",
    size,
    mtimeMs: Number(mtimeNs) / 1e6,
    ctimeMs: Number(ctimeNs) / 1e6,
    ino: Number(inode),
  };
}

function statOf({ content, mtimeNs, ctimeNs, inode }: Node): FileStat {
  return { kind: "file", size: content.byteLength, mtimeNs, ctimeNs, inode, device: 1n, mode: 0o644 };
}
