import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "./system-error.ts";

/** Each is lost to a removal that came between; a busy machine has seen more than twenty in a row. */
const TRIES_MAX = 1_000;

/**
 * Makes a folder and those above it that are missing. One that somebody removes while it is being made looks, for a
 * moment, like a file in the way or like nothing at all: that is tried again. Throws the system's error.
 */
export async function makeFolders(path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await mkdir(path, { recursive: true });
      return;
    } catch (error) {
      const code = systemCode(error);
      const mayBeRace = (code === "EEXIST" || code === "ENOENT") && attempt < TRIES_MAX;
      if (!mayBeRace || (await isInTheWay(path))) throw error;
    }
  }
}

/** True when the first thing that is there, from `path` upwards, is no folder. */
async function isInTheWay(path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const stats = await stat(at).catch(() => undefined);
    if (stats !== undefined) return !stats.isDirectory();
    if (dirname(at) === at) return false;
  }
}
