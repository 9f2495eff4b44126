import type { ProgressLine } from "../progress/progress-line.ts";
import { syncProgress } from "../progress/progress.ts";
import { hookOf, readEventStream } from "./event-stream.ts";
import type { ServerClient } from "./server-client.ts";

/** Phases that the hook's payload names. */
const PHASES = ["scan", "upload", "delete", "publish"] as const;

/** Which of the server's runs is ours: one run writes a snapshot at a time. */
export interface Watched {
  readonly service: string;
  readonly snapshot: string;
}

/**
 * Draws what the server tells of a dry run or a run, until `signal` fires. A server without the stream, or one that cuts
 * it off, only leaves the bar away: how the run ends is told by its own answer.
 */
export async function watchProgress(
  client: ServerClient,
  { service, snapshot }: Watched,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<void> {
  try {
    const response = await client.fetch("GET", "/api/modder/hooks/stream", {
      signal,
      headers: { accept: "text/event-stream" },
    });
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (!response.ok || !isStream || response.body === null) {
      await response.body?.cancel();
      return;
    }
    for await (const event of readEventStream(response.body)) {
      const hook = hookOf(event);
      if (hook?.event !== "on_cloud_sync_progress") continue;
      const { data } = hook;
      const phase = PHASES.find((each) => each === data["phase"]);
      if (phase === undefined || data["service"] !== service || data["snapshot"] !== snapshot) continue;
      const count = (name: string) => (typeof data[name] === "number" ? data[name] : 0);
      const [filesDone, filesTotal] = [count("files_done"), count("files_total")];
      const [bytesDone, bytesTotal] = [count("bytes_done"), count("bytes_total")];
      progress.show(syncProgress({ phase, filesDone, filesTotal, bytesDone, bytesTotal }));
    }
  } catch {
    // The run's own answer says what is wrong.
  }
}
