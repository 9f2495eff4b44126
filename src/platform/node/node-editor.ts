import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import { SyncError, throwIfAborted } from "../../core/errors.ts";

const NO_SUCH_PROGRAM = 127;

/** The contract's `Terminal.runEditor`. $EDITOR may hold arguments, so a shell reads it; the path is never part of a script. */
export async function runEditor(editor: string, path: string, signal: AbortSignal): Promise<number> {
  throwIfAborted(signal);
  const child =
    process.platform === "win32"
      ? spawn(`${editor} "${path}"`, { stdio: "inherit", shell: true })
      : spawn("/bin/sh", ["-c", `${inPlace(editor)} "$1"`, "editor", path], { stdio: "inherit" });
  const ended = Promise.withResolvers<number>();
  child.on("error", () => ended.resolve(NO_SUCH_PROGRAM));
  child.on("exit", (status, killedBy) => {
    ended.resolve(status ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy]));
  });
  const kill = () => void child.kill("SIGTERM");
  signal.addEventListener("abort", kill);
  try {
    const status = await ended.promise;
    if (signal.aborted) throw new SyncError("aborted", "the operation was cancelled");
    return status;
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

/** The shell becomes the editor, so that a signal reaches it; not where $EDITOR sets variables first. */
function inPlace(editor: string): string {
  return /^\s*\w+=/.test(editor) ? editor : `exec ${editor}`;
}

const HANGUPS = ["SIGHUP", "SIGQUIT"] as const;

/** The contract's `Terminal.onHangup`. */
export function onHangup(stop: () => void): () => void {
  for (const each of HANGUPS) process.on(each, stop);
  return () => {
    for (const each of HANGUPS) process.off(each, stop);
  };
}
