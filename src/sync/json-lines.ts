import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { Files } from "../platform/contract.ts";

/** One record to append. The line break comes first: a line torn by a crash is ended by the next record. */
export function jsonLine(record: object): Uint8Array {
  return new TextEncoder().encode(`\n${JSON.stringify(record)}`);
}

/**
 * The records of a file in the order they were appended; none when there is no file. Lines that are torn or foreign are
 * passed over. @throws SyncError `file_unreadable`, also over `maxBytes`
 */
export async function readJsonLines(files: Files, path: string, maxBytes?: number): Promise<JsonObject[]> {
  const bytes = await files.readBytes(path, maxBytes);
  if (bytes === undefined) return [];
  const lines = new TextDecoder().decode(bytes).split("\n");
  return lines.map(parseLine).filter((record) => record !== undefined);
}

function parseLine(line: string): JsonObject | undefined {
  if (line === "") return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
