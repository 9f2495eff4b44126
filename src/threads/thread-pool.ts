import { SyncError, throwIfAborted, toSyncError } from "../core/errors.ts";
import type { Thread, Threads } from "../platform/contract.ts";
import type { FaultCause, ThreadReply, ThreadRequest, Work } from "./work.ts";

/** The thread that had the jobs is no more, or never was: another must do them. */
export class ThreadLostError extends Error {
  override readonly name = "ThreadLostError";
}

/** Threads wait so long for more work; each holds some 10 MB. */
const IDLE_MS = 5_000;
const LEAVE_MS = 100;
/** Requests given to a thread at once, so that it never waits for the next. */
const REQUESTS_PER_THREAD = 2;
/** More threads than this wait for the disk, not for a core. */
const THREADS_MAX = 16;

export interface RunOptions {
  /** No further thread is started for it when so many run. Default: all that the pool may have. */
  readonly threads?: number;
  /** Kept away from a thread that is busy with a large one. Default false. */
  readonly isLarge?: boolean;
  /** True when a cancelled request settles only once the thread has left off; else at once. Default false. */
  readonly waits?: boolean;
  /** Buffers of the jobs that are handed over instead of copied. Default none. */
  readonly transfer?: readonly ArrayBuffer[];
  /** Hears of bytes done, as they are. */
  readonly onBytes: (count: number) => void;
  readonly signal?: AbortSignal | undefined;
}

interface Member {
  readonly thread: Thread<ThreadRequest, ThreadReply>;
  /** Requests it has not answered. */
  readonly open: Map<number, OpenRequest>;
  large: number;
}

interface OpenRequest {
  readonly isLarge: boolean;
  readonly onBytes: (count: number) => void;
  readonly settle: (answers: readonly unknown[] | Error) => void;
}

/** Threads for what takes a core: hashing, unpacking. One pool for a process; started when first needed, closed when idle. */
export class ThreadPool {
  /** How many threads there are when all are needed. */
  readonly threads: number;
  readonly #source: Threads;
  #members: Member[] = [];
  /** Set when a thread was lost: a runtime that cannot run them is not asked again. */
  #broken = false;
  #nextId = 1;
  #cancelClosing: (() => void) | undefined;

  constructor(source: Threads) {
    this.#source = source;
    this.threads = Math.max(1, Math.min(source.cores, THREADS_MAX));
  }

  /** Requests worth making at once. */
  get depth(): number {
    return this.depthOf(this.threads);
  }

  /** As many, of so many threads. */
  depthOf(threads: number): number {
    return threads * REQUESTS_PER_THREAD;
  }

  /**
   * Has jobs done by one thread, the answers in the jobs' order.
   * @throws ThreadLostError; SyncError `aborted`
   */
  run<Terms, Job, Answer>(
    work: Work<Terms, Job, Answer>,
    terms: Terms,
    jobs: readonly Job[],
    { threads = this.threads, isLarge = false, waits = false, transfer = [], onBytes, signal }: RunOptions,
  ): Promise<readonly Answer[]> {
    return new Promise((resolve, reject) => {
      throwIfAborted(signal);
      const member = this.#leastBusy(isLarge, threads);
      const id = this.#nextId++;
      const abort = () => {
        member.thread.post({ id, cancel: true });
        if (!waits) reject(new SyncError("aborted", "the operation was cancelled", { cause: signal?.reason }));
      };
      const settle = (answers: readonly unknown[] | Error) => {
        signal?.removeEventListener("abort", abort);
        if (answers instanceof Error) reject(answers);
        // The thread runs this program's own code for this kind of work.
        else resolve(answers as readonly Answer[]);
      };
      signal?.addEventListener("abort", abort, { once: true });
      member.open.set(id, { isLarge, onBytes: (count) => signal?.aborted !== true && onBytes(count), settle });
      if (isLarge) member.large++;
      member.thread.post({ id, work: work.name, terms, jobs }, transfer);
    });
  }

  /** Starts the first thread, which loads what it needs for the work, before there is any. */
  prepare({ name: work }: Work<unknown, unknown, unknown>): void {
    if (this.#broken || this.#members.length > 0) return;
    try {
      const { thread } = this.#start();
      thread.keepAlive(false);
      // Nobody waits for the answer.
      thread.post({ id: this.#nextId++, work, terms: undefined, jobs: [] });
      this.#closeWhenIdle();
    } catch (error) {
      // Who needs the thread is told.
      if (!(error instanceof ThreadLostError)) throw error;
    }
  }

  /**
   * Ends the threads. What they had to do fails as a lost thread. Idle ones end a little later: a process that is about to
   * end does not wait for them, and is done sooner.
   */
  close(): void {
    this.#cancelClosing?.();
    const idle = this.#members.filter(({ open }) => open.size === 0);
    this.#members = this.#members.filter(({ open }) => open.size > 0);
    this.#loseAll();
    if (idle.length > 0) this.#source.afterMs(LEAVE_MS, () => idle.forEach(({ thread }) => thread.close()));
  }

  #leastBusy(isLarge: boolean, threads: number): Member {
    if (this.#broken) throw new ThreadLostError("this runtime has no threads");
    this.#cancelClosing?.();
    this.#cancelClosing = undefined;
    const load = ({ open, large }: Member) => open.size + (isLarge ? large * REQUESTS_PER_THREAD * 2 : large);
    const [best] = this.#members.toSorted((a, b) => load(a) - load(b));
    const member = best === undefined || (load(best) > 0 && this.#members.length < threads) ? this.#start() : best;
    member.thread.keepAlive(true);
    return member;
  }

  #start(): Member {
    try {
      const member = {
        thread: this.#source.start<ThreadRequest, ThreadReply>(),
        open: new Map<number, OpenRequest>(),
        large: 0,
      };
      member.thread.listen(
        (reply) => this.#take(member, reply),
        (error) => {
          this.#broken = true;
          this.#lose(member, error.message);
        },
      );
      this.#members.push(member);
      return member;
    } catch (error) {
      this.#broken = true;
      throw new ThreadLostError("a thread cannot be started", { cause: error });
    }
  }

  #take(member: Member, reply: ThreadReply): void {
    const request = member.open.get(reply.id);
    if (request === undefined) return;
    if ("bytes" in reply) return request.onBytes(reply.bytes);
    member.open.delete(reply.id);
    if (request.isLarge) member.large--;
    if (member.open.size === 0) member.thread.keepAlive(false);
    this.#closeWhenIdle();
    if ("answers" in reply) request.settle(reply.answers);
    else if (reply.fault === "aborted") request.settle(new SyncError("aborted", "the operation was cancelled"));
    else request.settle(internalFault(reply.cause));
  }

  #lose(member: Member, why: string): void {
    this.#members = this.#members.filter((each) => each !== member);
    member.thread.close();
    for (const { settle } of member.open.values()) settle(new ThreadLostError(why));
    member.open.clear();
  }

  #loseAll(): void {
    for (const member of this.#members) this.#lose(member, "closed");
  }

  #closeWhenIdle(): void {
    if (this.#members.some(({ open }) => open.size > 0)) return;
    this.#cancelClosing?.();
    this.#cancelClosing = this.#source.afterMs(IDLE_MS, () => this.#loseAll());
  }
}

/** The same as for an unexpected error of this thread; the log gets the thread's own words. */
function internalFault({ message, stack }: FaultCause): SyncError {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return toSyncError(cause);
}
