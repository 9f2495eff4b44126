import { loadSettings, SERVER_DEFAULT } from "../config/settings.ts";
import type { LogFile, Platform } from "../platform/contract.ts";

/** A damaged config file is said where its settings are asked for, not here. */
export async function logFileOf({ files, openLogFile }: Platform, root: string): Promise<LogFile> {
  const { server } = await loadSettings(files, root).catch(() => ({ server: SERVER_DEFAULT }));
  const { logBytesMax: bytesMax, logFilesKept: filesKept } = server;
  return openLogFile(files.join(root, "logs", "server.log"), { bytesMax, filesKept });
}
