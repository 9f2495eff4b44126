import { SyncError } from "../../core/errors.ts";
import type { Prompts, TextQuestion } from "../../platform/contract.ts";
import type { CommandLine } from "../command-line.ts";

/** Where an answer comes from, in this order: the flag, a person at the terminal, what is set up already. */
export interface Question {
  readonly flag: string;
  readonly given: string | undefined;
  readonly present: string | undefined;
  readonly words: string;
  readonly placeholder?: string;
  /** Says what is wrong with an answer; nothing when it is good. */
  readonly check?: (answer: string) => string | undefined;
  readonly isOptional?: boolean;
}

/** Asks a person where there is one; otherwise what has no flag keeps its value or is an error that names the flag. */
export class Answers {
  private constructor(
    private readonly cli: CommandLine,
    /** undefined where nobody can be asked. */
    readonly prompts: Prompts | undefined,
  ) {}

  static async open(cli: CommandLine): Promise<Answers> {
    const { terminal } = cli.platform;
    return new Answers(cli, terminal.canAsk ? await terminal.prompts() : undefined);
  }

  /** The answer, "" for an optional one that is left out. @throws SyncError `usage`, `aborted` */
  async text(question: Question): Promise<string> {
    const { flag, given, present, words, placeholder, isOptional = false } = question;
    const check = (answer: string) => {
      if (answer === "") return isOptional ? undefined : "this is needed";
      return question.check?.(answer);
    };
    const answer = given ?? (await this.#ask(words, { initial: present, placeholder, check })) ?? present;
    if (answer === undefined && !isOptional) throw unanswered(flag);
    const fault = check(answer ?? "");
    if (fault !== undefined) throw new SyncError("usage", `${flag}: ${fault}`);
    return answer ?? "";
  }

  /** A choice; `present` is what Enter alone takes. */
  async choose<Value extends string>(
    flag: string,
    given: Value | undefined,
    words: string,
    choices: readonly { readonly value: Value; readonly label: string; readonly hint?: string }[],
    initial: Value,
  ): Promise<Value> {
    if (given !== undefined) return given;
    if (this.prompts === undefined) throw unanswered(flag);
    return await this.prompts.choose(words, { choices, initial, signal: this.cli.signal });
  }

  /** A secret that is typed unseen; undefined where nobody can be asked. */
  async hidden(words: string, check?: (answer: string) => string | undefined): Promise<string | undefined> {
    return await this.prompts?.hidden(words, { ...(check === undefined ? {} : { check }), signal: this.cli.signal });
  }

  /** Yes or no; `initial` where nobody can be asked. */
  async confirm(words: string, initial: boolean): Promise<boolean> {
    return (await this.prompts?.confirm(words, { initial, signal: this.cli.signal })) ?? initial;
  }

  async #ask(
    words: string,
    options: Pick<TextQuestion, "initial" | "placeholder" | "check">,
  ): Promise<string | undefined> {
    return await this.prompts?.text(words, { ...options, signal: this.cli.signal });
  }
}

export function unanswered(flag: string): SyncError {
  return new SyncError("usage", `nobody can be asked here (stdin is no terminal): give ${flag}`);
}
