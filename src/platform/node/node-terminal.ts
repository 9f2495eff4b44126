import { createReadStream } from "node:fs";
import process from "node:process";
import type { Readable } from "node:stream";
import { SyncError, throwIfAborted } from "../../core/errors.ts";
import type { Terminal } from "../contract.ts";
import { HiddenLine } from "./hidden-line.ts";
import { onHangup, runEditor } from "./node-editor.ts";
import { readError, systemCode, writeError } from "./system-error.ts";

const COLUMNS_DEFAULT = 80;

/** The standard streams through node:process, which Bun and Deno carry alike. */
export const nodeTerminal: Terminal = {
  get canAsk() {
    return process.stdin.isTTY && screen() !== undefined;
  },
  get outputColumns() {
    return process.stdout.isTTY ? process.stdout.columns || COLUMNS_DEFAULT : undefined;
  },
  get errorColumns() {
    return process.stderr.isTTY ? process.stderr.columns || COLUMNS_DEFAULT : undefined;
  },
  write,
  writeError: (text) => void withoutErrorEvents(process.stderr).write(text),
  readAll,
  askHidden,
  prompts: async () => (await import("./node-prompts.ts")).nodePrompts,
  runEditor,
  onHangup,
};

/** Where a question is seen: stderr, so that it never mixes with results, or else stdout. */
function screen(): NodeJS.WriteStream | undefined {
  if (process.stderr.isTTY) return process.stderr;
  return process.stdout.isTTY ? process.stdout : undefined;
}

/** A stream tells an error twice, to the writer and by an event, and an event that nobody hears ends the process. */
function withoutErrorEvents(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return stream.listeners("error").includes(ignore) ? stream : stream.on("error", ignore);
}

function ignore(): void {}

async function write(text: string): Promise<boolean> {
  const stdout = withoutErrorEvents(process.stdout);
  const error = await new Promise<Error | null | undefined>((resolve) => void stdout.write(text, resolve));
  if (!error) return true;
  // `… | head` has read what it wanted.
  if (systemCode(error) === "EPIPE") return false;
  throw writeError("the output", error);
}

async function readAll(maxBytes: number, path?: string): Promise<Uint8Array> {
  const what = path ?? "stdin";
  const input: Readable = path === undefined ? process.stdin : createReadStream(path);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of input as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > maxBytes) throw new SyncError("file_unreadable", `${what} holds more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (path === undefined && systemCode(error) === "EBADF") return new Uint8Array();
    throw readError(what, error);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

async function askHidden(question: string, signal?: AbortSignal): Promise<string | undefined> {
  throwIfAborted(signal);
  const { stdin } = process;
  stdin.setRawMode(true);
  screen()?.write(question);
  try {
    return await readHiddenLine(stdin, signal);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    screen()?.write("\n");
  }
}

function readHiddenLine(stdin: NodeJS.ReadStream, signal: AbortSignal | undefined): Promise<string | undefined> {
  const line = new HiddenLine();
  const decoder = new TextDecoder();
  const ended = Promise.withResolvers<string | undefined>();
  const cancel = () => ended.reject(new SyncError("aborted", "the operation was cancelled"));
  const onData = (chunk: Uint8Array) => {
    const state = line.feed(decoder.decode(chunk, { stream: true }));
    if (state === "entered") ended.resolve(line.text);
    else if (state === "ended") ended.resolve(undefined);
    else if (state === "cancelled") cancel();
  };
  const onEnd = () => ended.resolve(undefined);
  stdin.on("data", onData).on("end", onEnd).on("error", onEnd);
  signal?.addEventListener("abort", cancel);
  stdin.resume();
  return ended.promise.finally(() => {
    stdin.off("data", onData).off("end", onEnd).off("error", onEnd);
    signal?.removeEventListener("abort", cancel);
  });
}
