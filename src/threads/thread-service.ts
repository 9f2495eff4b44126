import { SyncError } from "../core/errors.ts";
import type { ThreadPort } from "../platform/contract.ts";
import { Turn } from "./turn.ts";
import type { ThreadReply, ThreadRequest, Work } from "./work.ts";

/** How often the thread that asked hears of bytes done, at most. */
const REPORT_EVERY_MS = 50;

/** What a worker has of the request that it works on. */
export interface Request {
  /** A cancellation is heard of at its pauses. */
  readonly turn: Turn;
  readonly signal: AbortSignal;
  readonly onBytes: (count: number) => void;
}

/** Does the jobs of one request, one after another. Throws only what is nobody's fault but the program's, or `aborted`. */
export type Worker<Terms, Job, Answer> = (
  terms: Terms,
  jobs: readonly Job[],
  request: Request,
) => Promise<readonly Answer[]>;

/** A kind of work and who does it. */
export interface Offer {
  readonly name: string;
  readonly worker: Worker<unknown, unknown, unknown>;
  readonly buffersOf: (answer: unknown) => readonly ArrayBuffer[];
}

/** @param buffersOf what of an answer is handed over instead of copied */
export function offer<Terms, Job, Answer>(
  { name }: Work<Terms, Job, Answer>,
  worker: Worker<Terms, Job, Answer>,
  buffersOf: (answer: Answer) => readonly ArrayBuffer[] = () => [],
): Offer {
  // Requests of this name are made by ThreadPool.run alone, which checks their types.
  return {
    name,
    worker: (terms, jobs, request) => worker(terms as Terms, jobs as readonly Job[], request),
    buffersOf: (answer) => buffersOf(answer as Answer),
  };
}

/** What a thread of the pool does: requests one after another, until it is closed. */
export function serveThread(port: ThreadPort<ThreadRequest, ThreadReply>, offers: readonly Offer[]): void {
  const waiting = new Map<number, AbortController>();
  let last = Promise.resolve();

  const answer = async (request: Extract<ThreadRequest, { readonly work: string }>, signal: AbortSignal) => {
    const { id, work, terms, jobs } = request;
    let bytes = 0;
    let reportAtMs = performance.now() + REPORT_EVERY_MS;
    const report = () => {
      if (bytes > 0) port.post({ id, bytes });
      bytes = 0;
      reportAtMs = performance.now() + REPORT_EVERY_MS;
    };
    const onBytes = (count: number) => {
      bytes += count;
      if (performance.now() >= reportAtMs) report();
    };
    try {
      const made = offers.find(({ name }) => name === work);
      if (made === undefined) throw new TypeError(`no such work: ${work}`);
      const answers = await made.worker(terms, jobs, { turn: new Turn(signal), signal, onBytes });
      report();
      port.post({ id, answers }, answers.flatMap(made.buffersOf));
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
    const controller = new AbortController();
    waiting.set(request.id, controller);
    last = last.then(() => answer(request, controller.signal));
  });
}
