import { availableParallelism } from "node:os";
import { URL } from "node:url";
import { parentPort, Worker } from "node:worker_threads";
import type { Thread, ThreadPort, Threads } from "../contract.ts";

/**
 * Where the thread's entry is: two folders up from here, or, once everything is bundled or compiled, beside the bundle
 * under the name that the bundler gives src/worker.ts.
 */
const ENTRY = new URL(
  import.meta.url.endsWith("/platform/node/node-threads.ts") ? "../../worker.ts" : "./worker.js",
  import.meta.url,
);

/** Threads of node:worker_threads, which Bun and Deno carry alike. */
export const nodeThreads: Threads = {
  cores: availableParallelism(),
  start<Sent, Received>(): Thread<Sent, Received> {
    const worker = new Worker(ENTRY);
    return {
      listen: (onMessage, onLost) => {
        worker.on("message", onMessage);
        worker.on("error", onLost);
        worker.on("exit", () => onLost(new Error("the thread has ended")));
      },
      post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
      keepAlive: (alive) => (alive ? worker.ref() : worker.unref()),
      close: () => {
        worker.removeAllListeners();
        // What a closing thread has still to say is of no interest.
        worker.on("error", () => undefined);
        void worker.terminate();
      },
    };
  },
  afterMs: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** The way back to the thread that started this one. @throws Error in a process's first thread */
export function threadPort<Received, Sent>(): ThreadPort<Received, Sent> {
  const port = parentPort;
  if (port === null) throw new Error("this module is started as a thread");
  return {
    post: (message, transfer = []) => port.postMessage(message, [...transfer]),
    listen: (onMessage) => void port.on("message", onMessage),
  };
}
