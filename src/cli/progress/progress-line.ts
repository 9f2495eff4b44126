import type { EventSink, ProductEvent } from "../../core/events.ts";
import type { Platform } from "../../platform/contract.ts";
import { drawsOver } from "../style.ts";
import { type Progress, syncProgress } from "./progress.ts";
import { ASCII, BLOCKS, barText, type Glyphs, lineText, type Rates } from "./progress-text.ts";
import { RateMeter } from "./rate-meter.ts";

const CLEAR_LINE = "\r\u001B[K";
const DRAW_EVERY_MS = 100;
/** A log gets its first line when a command turns out to be long. */
const FIRST_LINE_AFTER_MS = 5_000;
const LINE_EVERY_MS = 10_000;

/**
 * How far a command is, on stderr: a bar drawn over itself on a terminal, a line now and then elsewhere, so that a log of
 * a long run shows that it goes on and a short one says nothing.
 */
export class ProgressLine implements EventSink {
  readonly #platform: Platform;
  readonly #nowMs: () => number;
  readonly #drawsOver: boolean;
  readonly #glyphs: Glyphs;
  #phase = "";
  #bytes = new RateMeter();
  #files = new RateMeter();
  #drawn = false;
  #nextMs: number;

  constructor(platform: Platform, nowMs: () => number = () => performance.now()) {
    this.#platform = platform;
    this.#nowMs = nowMs;
    this.#drawsOver = drawsOver(platform);
    this.#glyphs = speaksUtf8(platform) ? BLOCKS : ASCII;
    this.#nextMs = nowMs() + (this.#drawsOver ? 0 : FIRST_LINE_AFTER_MS);
  }

  emit(event: ProductEvent): void {
    if (event.type === "sync.progress") this.show(syncProgress(event));
  }

  show(progress: Progress): void {
    const nowMs = this.#nowMs();
    const isNew = progress.phase !== this.#phase;
    if (isNew) {
      this.#phase = progress.phase;
      this.#bytes = new RateMeter();
      this.#files = new RateMeter();
    }
    this.#bytes.add(nowMs, progress.bytesDone);
    this.#files.add(nowMs, progress.filesDone);
    if (nowMs < this.#nextMs && !(isNew && this.#drawsOver)) return;
    this.#nextMs = nowMs + (this.#drawsOver ? DRAW_EVERY_MS : LINE_EVERY_MS);
    this.#write(progress, { bytesPerS: this.#bytes.perSecond, filesPerS: this.#files.perSecond });
  }

  #write(progress: Progress, rates: Rates): void {
    const { terminal } = this.#platform;
    if (!this.#drawsOver) return terminal.writeError(`${lineText(progress, rates)}\n`);
    this.#drawn = true;
    // The last column stays free: a terminal that wraps there would leave lines behind.
    terminal.writeError(CLEAR_LINE + barText(progress, rates, (terminal.errorColumns ?? 80) - 1, this.#glyphs));
  }

  /** Takes the bar away, before anything else is shown. */
  clear(): void {
    if (this.#drawn) this.#platform.terminal.writeError(CLEAR_LINE);
    this.#drawn = false;
  }
}

/** Only a locale that says otherwise keeps block characters away: without one most terminals take them. */
function speaksUtf8(platform: Platform): boolean {
  const locale = platform.env("LC_ALL") ?? platform.env("LC_CTYPE") ?? platform.env("LANG");
  return locale === undefined || /utf-?8/i.test(locale);
}
