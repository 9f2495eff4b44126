import { getJsonLinesFormatter, type LogLevel } from "@logtape/logtape";
import { toSyncError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { LogFile } from "../platform/contract.ts";
import type { SecretValues } from "./redact.ts";

/** logs/server.log: one JSON object a line, redacted before it is serialised. */
export interface ServerLog {
  /** Never throws and never waits: a full disk must not stop a run. */
  write(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void;
  close(): void;
}

/** Where lines go while the log file cannot be written. */
export type Complain = (line: string) => void;

/** While the file cannot be written, that is said once through `complain`, and the lines go there. */
export function openServerLog(file: LogFile, secrets: SecretValues, complain: Complain): ServerLog {
  return new FileLog(file, secrets, complain);
}

/** Events are told apart by `event`; LogTape adds `@timestamp`, `level`, `message` and `logger`. */
const formatter = getJsonLinesFormatter({ properties: "flatten" });

class FileLog implements ServerLog {
  #failing = false;
  readonly #encoder = new TextEncoder();

  constructor(
    private readonly file: LogFile,
    private readonly secrets: SecretValues,
    private readonly complain: Complain,
  ) {
    // Said at the start of a server, not hours later at its first line.
    this.#append("");
  }

  write(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void {
    const redacted = this.secrets.redact(fields);
    const line = formatter({
      category: ["comfyvn", "sync"],
      level,
      message: [event],
      rawMessage: event,
      timestamp: Date.now(),
      properties: { ...(isJsonObject(redacted) ? redacted : {}), event },
    });
    if (!this.#append(line)) this.complain(line.trimEnd());
  }

  close(): void {
    this.file.close();
  }

  /** Whether the file took it. */
  #append(line: string): boolean {
    try {
      this.file.append(this.#encoder.encode(line));
      this.#failing = false;
      return true;
    } catch (error) {
      if (!this.#failing) this.complain(`${toSyncError(error).message}; the log goes to stderr`);
      this.#failing = true;
      return false;
    }
  }
}
