/** What cursor and function keys send, and the marks around pasted text. */
const ESCAPE_SEQUENCE = /\u001B(?:\[[0-9;?]*[ -/]*[@-~]|O[A-Z]|.)?/g;

export type HiddenLineState = "open" | "entered" | "ended" | "cancelled";

/**
 * A line typed on a terminal in raw mode: backspace (code points, not UTF-16 units), Ctrl-U, Ctrl-C, Ctrl-D on an empty
 * line, Enter. What follows the end of the line in the same piece of input is dropped: a pasted text of several lines
 * must not run as commands of the shell.
 */
export class HiddenLine {
  #state: HiddenLineState = "open";
  #characters: string[] = [];

  get text(): string {
    return this.#characters.join("");
  }

  /** Takes a piece of input. Control characters that mean nothing here are ignored. */
  feed(input: string): HiddenLineState {
    for (const character of input.replace(ESCAPE_SEQUENCE, "")) {
      if (this.#state !== "open") break;
      this.#key(character);
    }
    return this.#state;
  }

  #key(character: string): void {
    if (character === "\r" || character === "\n") this.#state = "entered";
    else if (character === "\u0003") this.#state = "cancelled";
    else if (character === "\u0004") this.#state = this.#characters.length === 0 ? "ended" : "open";
    else if (character === "\u007F" || character === "\b") this.#characters.pop();
    else if (character === "\u0015") this.#characters = [];
    else if (character >= " ") this.#characters.push(character);
  }
}
