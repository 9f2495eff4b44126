import { applyEdits, modify } from "jsonc-parser";
import type { Files } from "../platform/contract.ts";
import { parseConfigFile } from "./config-file.ts";
import { FLAG_NAMES, type FlagName } from "./schema.ts";
import { CONFIG_FILES } from "./settings.ts";

const CONFIG_FILE = CONFIG_FILES[0];
/** Under the cache, which no manifest holds. */
const LOCK_FILE = "cache/cloud/locks/config.lock";

/**
 * Sets flags in config/comfyvn.json, made with every flag off when missing. Only the flags' own characters change:
 * other sections, their order and the file's formatting stay. A symlinked file is written through its link.
 * @throws SyncError `config_malformed` and nothing is written; `write_failed`, `disk_full`
 */
export async function writeFlags(
  files: Files,
  root: string,
  changes: Readonly<Partial<Record<FlagName, boolean>>>,
): Promise<void> {
  const named = files.join(root, CONFIG_FILE);
  const path = (await files.realPath(named)) ?? named;
  const lock = await files.lock(files.join(root, LOCK_FILE));
  try {
    const bytes = await files.readBytes(path);
    let text = bytes === undefined ? allOff() : new TextDecoder().decode(bytes);
    parseConfigFile(text, CONFIG_FILE);
    for (const [flag, on] of Object.entries(changes)) {
      text = applyEdits(text, modify(text, ["features", flag], on, { formattingOptions: formattingOf(text) }));
    }
    parseConfigFile(text, CONFIG_FILE);
    const mode = (await files.stat(path))?.mode ?? 0o644;
    await files.writeAtomic(path, new TextEncoder().encode(text), { mode });
  } finally {
    lock.release();
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
