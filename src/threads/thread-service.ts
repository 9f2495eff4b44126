import { SyncError } from "../core/errors.ts";
import type { ThreadPort } from "../platform/contract.ts";
import { Turn } from "./turn.ts";
import type { FaultCause, ThreadReply, ThreadRequest, Work } from "./work.ts";

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

/** Who does a kind of work. */
export interface Offer {
  readonly worker: Worker<unknown, unknown, unknown>;
  readonly buffersOf: (answer: unknown) => readonly ArrayBuffer[];
}

/** @param _work carries the types. @param buffersOf what of an answer is handed over instead of copied */
export function offer<Terms, Job, Answer>(
  _work: Work<Terms, Job, Answer>,
  worker: Worker<Terms, Job, Answer>,
  buffersOf: (answer: Answer) => readonly ArrayBuffer[] = () => [],
): Offer {
  // Requests of this name are made by ThreadPool.run alone, which checks their types.
  return {
    worker: (terms, jobs, request) => worker(terms as Terms, jobs as readonly Job[], request),
    buffersOf: (answer) => buffersOf(answer as Answer),
  };
}

/** By name of the work; loaded when it is first asked for. */
export type Offers = Readonly<Record<string, () => Promise<Offer>>>;

/** What a thread of the pool does: requests one after another, until it is closed. */
export function serveThread(port: ThreadPort<ThreadRequest, ThreadReply>, offers: Offers): void {
  const loaded = new Map<string, Offer>();
  const offerOf = async (work: string): Promise<Offer> => {
    const made = loaded.get(work) ?? (await offers[work]?.());
    if (made === undefined) throw new TypeError(`no such work: ${work}`);
    loaded.set(work, made);
    return made;
  };
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
      const made = await offerOf(work);
      const answers = await made.worker(terms, jobs, { turn: new Turn(signal), signal, onBytes });
      report();
      port.post({ id, answers }, answers.flatMap(made.buffersOf));
    } catch (error) {
      if (error instanceof SyncError && error.code === "aborted") port.post({ id, fault: "aborted" });
      else port.post({ id, fault: "internal", cause: causeOf(error) });
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

/** For the log of the process: a stack names code, never a value. */
function causeOf(error: unknown): FaultCause {
  if (!(error instanceof Error)) return { message: "something that is no error was thrown", stack: undefined };
  let root = error;
  while (root.cause instanceof Error) root = root.cause;
  return { message: root.message, stack: root.stack };
}
