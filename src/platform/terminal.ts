/** What the command line asks of a runtime: a part of contract.ts, from where it is imported. */

/** The standard streams, for the command line. */
export interface Terminal {
  /** A person can be asked: stdin is a terminal, and a question can be shown on one. */
  readonly canAsk: boolean;
  /** Columns of the terminal that stdout is; undefined when it is none. */
  readonly outputColumns: number | undefined;
  /** Columns of the terminal that stderr is; undefined when it is none. */
  readonly errorColumns: number | undefined;
  /** To stdout. A reader that went away is no error: false, the rest is dropped. @throws SyncError `disk_full`, `write_failed` */
  write(text: string): Promise<boolean>;
  /** To stderr; never throws. */
  writeError(text: string): void;
  /**
   * All of stdin, or of the file or pipe at `path`; nothing when stdin is closed.
   * @throws SyncError `file_missing`, `file_unreadable` (also over `maxBytes`)
   */
  readAll(maxBytes: number, path?: string): Promise<Uint8Array>;
  /**
   * Shows `question` and reads a line that is not shown; undefined when the input ends before one does.
   * @throws SyncError `aborted` at Ctrl-C and when `signal` fires
   */
  askHidden(question: string, signal?: AbortSignal): Promise<string | undefined>;
  /** Questions with more comfort than a hidden line; loaded at the first one. */
  prompts(): Promise<Prompts>;
  /**
   * Gives the terminal to an editor and waits for its end. `editor` is a command line as $EDITOR holds it.
   * @returns its exit status; 127 where there is no such program, 128 + n where signal n ended it
   * @throws SyncError `aborted` when `signal` fires; the editor is ended first
   */
  runEditor(editor: string, path: string, signal: AbortSignal): Promise<number>;
  /** Calls `stop` when the terminal goes away or its user quits (SIGHUP, SIGQUIT). Returns how to stop listening. */
  onHangup(stop: () => void): () => void;
}

/** Questions to a person, shown on stderr. Each throws SyncError `aborted` at Ctrl-C and when the signal fires. */
export interface Prompts {
  /** What the questions are about, above the first one. */
  begin(title: string): void;
  /** Something to know, between two questions. */
  note(text: string): void;
  end(text: string): void;
  /** A line of text. `check` says what is wrong with one. */
  text(question: string, options: TextQuestion): Promise<string>;
  /** A line that is not shown. */
  hidden(question: string, options: Pick<TextQuestion, "check" | "signal">): Promise<string>;
  choose<Value extends string>(question: string, options: ChoiceQuestion<Value>): Promise<Value>;
  confirm(question: string, options: { readonly initial: boolean; readonly signal: AbortSignal }): Promise<boolean>;
}

export interface TextQuestion {
  /** What Enter alone answers. */
  readonly initial?: string | undefined;
  readonly placeholder?: string | undefined;
  readonly check?: (answer: string) => string | undefined;
  readonly signal: AbortSignal;
}

export interface ChoiceQuestion<Value extends string> {
  readonly choices: readonly { readonly value: Value; readonly label: string; readonly hint?: string }[];
  readonly initial: Value;
  readonly signal: AbortSignal;
}
