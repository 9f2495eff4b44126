import { getRotatingFileSink } from "@logtape/file";
import { getJsonLinesFormatter, type LogLevel, type Sink } from "@logtape/logtape";
import { isJsonObject } from "../core/json.ts";
import type { Files } from "../platform/contract.ts";
import type { SecretValues } from "./redact.ts";

const LOG_BYTES_MAX = 10 * 1024 * 1024;
const LOG_FILES_KEPT = 5;

/** logs/server.log: one JSON object a line, redacted before it is serialised, rotated by size. */
export interface ServerLog {
  /** Never throws: a full disk must not stop a run. The first failure is said on stderr. */
  write(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void;
  close(): void;
}

/** Where lines go when the log file cannot be used. */
export type Complain = (line: string) => void;

/**
 * Opens `<root>/logs/server.log`. When the folder cannot be written, says so once through `complain` and sends the
 * lines there instead, so that the server still starts.
 */
export async function openServerLog(
  files: Files,
  root: string,
  secrets: SecretValues,
  complain: Complain,
): Promise<ServerLog> {
  const path = files.join(root, "logs", "server.log");
  let sink: (Sink & Partial<Disposable>) | undefined;
  try {
    await files.makeFolder(files.dirname(path));
    sink = getRotatingFileSink(path, {
      maxSize: LOG_BYTES_MAX,
      maxFiles: LOG_FILES_KEPT,
      // Unbuffered: the line that explains a crash is on the disk before it.
      bufferSize: 0,
      formatter,
    });
  } catch {
    complain(`${path} cannot be written; the log goes to stderr`);
  }
  return new SinkLog(sink ?? ((record) => complain(formatter(record).trimEnd())), secrets, complain);
}

/** Events are told apart by `event`; LogTape adds `@timestamp`, `level`, `message` and `logger`. */
const formatter = getJsonLinesFormatter({ properties: "flatten" });

class SinkLog implements ServerLog {
  #complained = false;

  constructor(
    private readonly sink: Sink & Partial<Disposable>,
    private readonly secrets: SecretValues,
    private readonly complain: Complain,
  ) {}

  write(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void {
    const redacted = this.secrets.redact(fields);
    const properties = { event, ...(isJsonObject(redacted) ? redacted : {}) };
    try {
      this.sink({
        category: ["comfyvn", "sync"],
        level,
        message: [event],
        rawMessage: event,
        timestamp: Date.now(),
        properties,
      });
    } catch (error) {
      if (this.#complained) return;
      this.#complained = true;
      this.complain(`logs/server.log cannot be written: ${error instanceof Error ? error.message : "unknown error"}`);
    }
  }

  close(): void {
    this.sink[Symbol.dispose]?.();
  }
}
