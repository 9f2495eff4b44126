import type { Command } from "commander";
import type { Platform } from "../platform/contract.ts";
import type { Screen } from "./change-table.ts";
import { printable } from "./format.ts";
import { type Style, streamStyle } from "./style.ts";

/** Exit statuses of the contract; an interrupted command ends as shells expect it. */
export const EXIT = { ok: 0, failed: 1, usage: 2, partial: 3, sighup: 129, sigint: 130, sigterm: 143 } as const;

/** Flags that every command takes. */
export interface CommonFlags {
  /** Default COMFYVN_ROOT, then the current folder. */
  readonly root?: string;
  readonly json?: boolean;
}

/** One call of the program: the surroundings, where results and remarks go, and how it ends. */
export class CommandLine {
  /** What the command that ran ends with, unless it throws. */
  status: number = EXIT.ok;
  /** stdout belongs to one JSON document. */
  json = false;
  /** What a user who stops the command should know; undefined before it has begun anything. */
  whenStopped: string | undefined;
  /** Ctrl-C is for the program that has the terminal: an editor. */
  interruptIsForeign = false;
  /** How results on stdout look. */
  readonly style: Style;
  /** How remarks on stderr look. */
  readonly noteStyle: Style;

  constructor(
    readonly platform: Platform,
    /** Fires at Ctrl-C, SIGTERM and when the terminal is closed. */
    readonly signal: AbortSignal,
  ) {
    this.style = streamStyle(platform, "output");
    this.noteStyle = streamStyle(platform, "error");
  }

  /** Where results are shown. */
  get screen(): Screen {
    return { style: this.style, columns: this.platform.terminal.outputColumns };
  }

  /** A result, to stdout. */
  async print(text: string): Promise<void> {
    await this.platform.terminal.write(`${text}\n`);
  }

  /** A result for programs: one line of JSON, as the API sends it. */
  async printJson(value: unknown): Promise<void> {
    await this.print(JSON.stringify(value));
  }

  /** Anything that is no result, to stderr. */
  note(text: string): void {
    this.platform.terminal.writeError(`${text}\n`);
  }

  /** Something that did not stop the command. */
  warn(text: string): void {
    this.note(`${this.noteStyle.warn("warning:")} ${printable(text)}`);
  }

  /** Makes `run` what `command` does. It gets the command with its flags and arguments; it returns the exit status, nothing means 0. */
  action(command: Command, run: (called: Command) => Promise<number | void>): Command {
    return command.action(async () => {
      this.json = command.optsWithGlobals<CommonFlags>().json === true;
      this.status = (await run(command)) ?? EXIT.ok;
    });
  }
}
