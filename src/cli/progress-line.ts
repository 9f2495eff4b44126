import type { BackupProgress } from "../app.ts";
import type { EventSink, ProductEvent, SyncProgress } from "../core/events.ts";
import type { Terminal } from "../platform/contract.ts";
import { formatBytes, formatNumber } from "./format.ts";

const CLEAR_LINE = "\r\u001B[K";

/** How far a sync is, on one line of stderr that is drawn over itself; nothing where stderr is no terminal. */
export class ProgressLine implements EventSink {
  #drawn = false;

  constructor(private readonly terminal: Terminal) {}

  emit(event: ProductEvent): void {
    if (event.type === "sync.progress") this.#draw(progressText(event));
  }

  showBackup({ phase, filesDone, filesTotal, bytesDone }: BackupProgress): void {
    const files = `${formatNumber(filesDone)} of ${formatNumber(filesTotal)} files`;
    this.#draw(`${phase}  ${files}  ${formatBytes(bytesDone)}`);
  }

  #draw(text: string): void {
    const columns = this.terminal.errorColumns;
    if (columns === undefined) return;
    this.#drawn = true;
    this.terminal.writeError(CLEAR_LINE + text.slice(0, columns - 1));
  }

  /** Takes the line away, before anything else is shown. */
  clear(): void {
    if (this.#drawn) this.terminal.writeError(CLEAR_LINE);
    this.#drawn = false;
  }
}

/** `upload  12 of 345 files  1.2 of 30.4 MiB`; a scan's totals are still being found. */
function progressText({ phase, filesDone, filesTotal, bytesDone, bytesTotal }: SyncProgress): string {
  const files = `${formatNumber(filesDone)} of ${formatNumber(filesTotal)} files`;
  if (phase === "scan") return `${phase}  ${files}  ${formatBytes(bytesDone)}`;
  return `${phase}  ${files}  ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`;
}
