import { applyEdits, modify } from "jsonc-parser";
import { SyncError } from "../core/errors.ts";
import type { Files } from "../platform/contract.ts";
import { parseConfigFile } from "./config-file.ts";
import { FLAG_NAMES } from "./schema.ts";
import { CONFIG_FILES } from "./settings.ts";

const CONFIG_FILE = CONFIG_FILES[0];
/** Under the cache, which no manifest holds. */
const LOCK_FILE = "cache/cloud/locks/config.lock";

export interface ConfigEdit {
  /** Names from the top, e.g. `["features", "enable_cloud_sync"]`. */
  readonly path: readonly string[];
  readonly value: string | boolean;
}

/**
 * Sets values in config/comfyvn.json, made with every flag off when missing. Only the values' own characters change:
 * other sections, their order and the file's formatting stay. A symlinked file is written through its link.
 * @returns false when everything was so already and nothing was written
 * @throws SyncError `config_malformed`, `config_invalid` and nothing is written; `write_failed`, `disk_full`
 */
export async function editConfig(files: Files, root: string, edits: readonly ConfigEdit[]): Promise<boolean> {
  const named = files.join(root, CONFIG_FILE);
  const path = (await files.realPath(named)) ?? named;
  const lock = await files.lock(files.join(root, LOCK_FILE));
  try {
    const bytes = await files.readBytes(path);
    const before = bytes === undefined ? undefined : decode(bytes);
    let text = before ?? allOff();
    parseConfigFile(text, CONFIG_FILE);
    for (const { path: place, value } of edits) {
      text = applyEdits(text, modify(text, [...place], value, { formattingOptions: formattingOf(text) }));
    }
    if (text === before) return false;
    parseConfigFile(text, CONFIG_FILE);
    const mode = (await files.stat(path))?.mode ?? 0o644;
    await files.writeAtomic(path, new TextEncoder().encode(text), { mode });
    return true;
  } finally {
    lock.release();
  }
}

/** What cannot be read exactly is not written back: characters of the studio's own sections would be lost. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new SyncError("config_malformed", `${CONFIG_FILE} is not valid UTF-8 text; nothing was changed`, {
      cause: error,
    });
  }
}

function allOff(): string {
  const features = Object.fromEntries(FLAG_NAMES.map((flag) => [flag, false]));
  return `${JSON.stringify({ features }, null, 2)}\n`;
}

/** New lines are indented as the file's first indented one. */
function formattingOf(text: string): { insertSpaces: boolean; tabSize: number; eol: string } {
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  return { insertSpaces: !indent.startsWith("\t"), tabSize: indent.startsWith("\t") ? 1 : indent.length, eol };
}
