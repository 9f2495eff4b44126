import { readFileSync } from "node:fs";
import process from "node:process";
import type { TerminationSignal } from "../contract.ts";

const SIGNALS: readonly TerminationSignal[] = ["SIGTERM", "SIGINT"];

/**
 * Calls `stop` at SIGTERM, SIGINT and SIGHUP until it has accepted one. The next one finds the default action again and
 * ends the process at once, but for SIGHUP: a terminal that is closed sends two. Returns how to stop listening.
 */
export function onTermination(stop: (signal: TerminationSignal) => boolean): () => void {
  let accepted = false;
  const offOthers = () => {
    for (const signal of SIGNALS) process.off(signal, heard);
  };
  const heard = (signal: TerminationSignal) => {
    if (accepted || !stop(signal)) return;
    accepted = true;
    offOthers();
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  if (mayHearHangup()) process.on("SIGHUP", heard);
  return () => {
    offOthers();
    process.off("SIGHUP", heard);
  };
}

/** Resolves at the first SIGTERM, SIGINT or SIGHUP. */
export function terminated(): Promise<void> {
  return new Promise((resolve) => {
    onTermination(() => {
      resolve();
      return true;
    });
  });
}

let hangupIsIgnored: boolean | undefined;

/**
 * False for a program that shall outlive its terminal: under nohup SIGHUP is ignored, a handler would undo that, and
 * Bun does not restore it when the handler goes (measured). So it is asked before the first one. Only Linux tells, and
 * on Deno it takes every permission to be told; elsewhere SIGHUP keeps its default action.
 */
function mayHearHangup(): boolean {
  hangupIsIgnored ??= readHangupIsIgnored();
  return !hangupIsIgnored;
}

const SIGHUP_BIT = 1n;

function readHangupIsIgnored(): boolean {
  if (process.versions["bun"] === undefined) return true;
  try {
    const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1")) ?? [];
    return mask === undefined || (BigInt(`0x${mask}`) & SIGHUP_BIT) !== 0n;
  } catch {
    return true;
  }
}
