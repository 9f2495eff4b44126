import { closeSync, constants, fstatSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { LogFile, LogFileOptions } from "../contract.ts";
import { isAbsent, writeError } from "./system-error.ts";

/**
 * Own code: the rotating sink of LogTape goes on with a closed descriptor after a rename that failed (a log that somebody
 * deleted), and its lines then land in whatever file has that number next; and two processes that share its file lose
 * lines to each other's rotation.
 */
export function openLogFile(path: string, options: LogFileOptions): LogFile {
  return new NodeLogFile(path, options);
}

interface OpenLog {
  readonly descriptor: number;
  readonly inode: bigint;
  readonly device: bigint;
}

class NodeLogFile implements LogFile {
  #open: OpenLog | undefined;
  /** A line was cut off, e.g. by a full disk. */
  #torn = false;

  constructor(
    private readonly path: string,
    private readonly options: LogFileOptions,
  ) {}

  append(lines: Uint8Array): void {
    try {
      let log = this.#current();
      if (this.#isFull(log, lines.byteLength)) log = this.#rotate();
      if (this.#torn) writeSync(log.descriptor, "\n");
      for (let done = 0; done < lines.byteLength; ) {
        this.#torn = done > 0;
        done += writeSync(log.descriptor, lines, done);
      }
      this.#torn = false;
    } catch (error) {
      // Whatever went wrong, the next line starts from nothing.
      this.close();
      throw writeError(this.path, error);
    }
  }

  close(): void {
    const log = this.#open;
    this.#open = undefined;
    if (log !== undefined) closeSync(log.descriptor);
  }

  /** The file that has the name now: another process may have rotated it, somebody may have deleted it. */
  #current(): OpenLog {
    if (this.#open !== undefined && this.#isAt(this.#open)) return this.#open;
    this.close();
    mkdirSync(dirname(this.path), { recursive: true });
    const descriptor = openSync(this.path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o644);
    const { ino, dev } = fstatSync(descriptor, { bigint: true });
    this.#open = { descriptor, inode: ino, device: dev };
    return this.#open;
  }

  #isAt({ inode, device }: OpenLog): boolean {
    const stats = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    return stats?.ino === inode && stats.dev === device;
  }

  /** A line longer than the limit has a file of its own. */
  #isFull({ descriptor }: OpenLog, more: number): boolean {
    const { size } = fstatSync(descriptor);
    return size > 0 && size + more > this.options.bytesMax;
  }

  #rotate(): OpenLog {
    this.close();
    const { filesKept } = this.options;
    rmSync(`${this.path}.${filesKept}`, { force: true });
    for (let number = filesKept - 1; number > 0; number--) this.#move(`${this.path}.${number}`, number + 1);
    this.#move(this.path, 1);
    return this.#current();
  }

  #move(from: string, number: number): void {
    try {
      renameSync(from, `${this.path}.${number}`);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
}
