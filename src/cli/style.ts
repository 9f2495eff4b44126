import picocolors from "picocolors";
import type { Platform } from "../platform/contract.ts";

/** How a text is set off; each is the text itself where there are no colours. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly name: (text: string) => string;
}

export const PLAIN: Style = styleOf(false);

/** The style of stdout or stderr. */
export function streamStyle(platform: Platform, stream: "output" | "error"): Style {
  const { outputColumns, errorColumns } = platform.terminal;
  return styleOf(wantsColour(platform, (stream === "output" ? outputColumns : errorColumns) !== undefined));
}

/**
 * Colours are for terminals, unless somebody says otherwise: NO_COLOR (any text) forbids them and wins, FORCE_COLOR asks
 * for them (0 or false forbids), TERM=dumb is a terminal without. An empty variable counts as unset.
 */
export function wantsColour(platform: Pick<Platform, "env">, isTerminal: boolean): boolean {
  const forced = platform.env("FORCE_COLOR");
  if (platform.env("NO_COLOR") !== undefined || forced === "0" || forced === "false") return false;
  if (forced !== undefined) return true;
  return isTerminal && platform.env("TERM") !== "dumb";
}

/** Whether stderr can draw one line over itself. */
export function drawsOver(platform: Platform): boolean {
  return platform.terminal.errorColumns !== undefined && platform.env("TERM") !== "dumb";
}

function styleOf(coloured: boolean): Style {
  const { bold, dim, green, red, yellow, cyan } = picocolors.createColors(coloured);
  return { bold, dim, good: green, bad: red, warn: yellow, name: cyan };
}
