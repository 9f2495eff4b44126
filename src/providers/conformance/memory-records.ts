import type { JsonObject } from "../../core/json.ts";
import type { UploadRecords } from "../contract.ts";

/** Records for one key that can be looked at, and that hold only what JSON can. */
export interface MemoryRecords extends UploadRecords {
  readonly all: readonly JsonObject[];
}

export function memoryRecords(): MemoryRecords {
  const lines: string[] = [];
  const parsed = () => lines.map((line) => JSON.parse(line) as JsonObject);
  return {
    get all() {
      return parsed();
    },
    load: async () => parsed(),
    add: async (record) => void lines.push(JSON.stringify(record)),
    clear: async () => void lines.splice(0),
  };
}
