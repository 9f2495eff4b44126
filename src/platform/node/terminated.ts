import process from "node:process";
import type { TerminationSignal } from "../contract.ts";

const SIGNALS: readonly TerminationSignal[] = ["SIGTERM", "SIGINT"];

/**
 * Calls `stop` at SIGTERM and SIGINT until it has accepted one. The next one finds the default
 * action again and ends the process at once. Returns how to stop listening.
 */
export function onTermination(stop: (signal: TerminationSignal) => boolean): () => void {
  const off = () => {
    for (const signal of SIGNALS) process.off(signal, heard);
  };
  const heard = (signal: TerminationSignal) => {
    if (stop(signal)) off();
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  return off;
}

/** Resolves at the first SIGTERM or SIGINT. */
export function terminated(): Promise<void> {
  return new Promise((resolve) => {
    onTermination(() => {
      resolve();
      return true;
    });
  });
}
