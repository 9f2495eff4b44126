import { SyncError } from "../core/errors.ts";
import type { NewHasher } from "../core/hash.ts";
import type { ThreadPort, TreeReader } from "../platform/contract.ts";
import { FolderHasher } from "./folder-hasher.ts";
import type { HashAnswer, HashJob, HashTerms } from "./hash-job.ts";
import type { HashReply, HashRequest } from "./hash-pool.ts";
import { Turn } from "./turn.ts";

/** A turn passes the bytes read on to the thread that asked, and hears of a cancellation. */
class ReportingTurn extends Turn {
  constructor(
    signal: AbortSignal,
    private readonly report: () => void,
  ) {
    super(signal);
  }

  override async pause(): Promise<void> {
    this.report();
    await super.pause();
  }
}

/** What a thread of the pool does: requests one after another, until it is closed. */
export function serveHashJobs(port: ThreadPort<HashRequest, HashReply>, tree: TreeReader, newHasher: NewHasher): void {
  let bytes = 0;
  const hasher = new FolderHasher(tree, newHasher, (count) => (bytes += count));
  const waiting = new Map<number, AbortController>();
  let last = Promise.resolve();

  const report = (id: number) => {
    if (bytes > 0) port.post({ id, bytes });
    bytes = 0;
  };
  const answer = async (id: number, terms: HashTerms, jobs: readonly HashJob[], signal: AbortSignal) => {
    const answers: HashAnswer[] = [];
    try {
      const turn = new ReportingTurn(signal, () => report(id));
      for (const job of jobs) answers.push(await hasher.run(job, terms, turn));
      report(id);
      port.post({ id, answers }, answers.flatMap(buffersOf));
    } catch (error) {
      port.post({ id, fault: error instanceof SyncError && error.code === "aborted" ? "aborted" : "internal" });
    } finally {
      waiting.delete(id);
    }
  };

  port.listen((request) => {
    if ("cancel" in request) {
      waiting.get(request.id)?.abort();
      return;
    }
    const { id, terms, jobs } = request;
    const controller = new AbortController();
    waiting.set(id, controller);
    last = last.then(() => answer(id, terms, jobs, controller.signal));
  });
}

/** Handed over instead of copied. */
function buffersOf(answer: HashAnswer): ArrayBuffer[] {
  const files = answer.kind === "folder" ? answer.files : answer;
  return files?.kind === "files" && files.record !== undefined ? [files.record.buffer] : [];
}
