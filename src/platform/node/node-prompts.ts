import process from "node:process";
import { confirm, intro, log, outro, password, select, text } from "@clack/prompts";
import { SyncError, throwIfAborted } from "../../core/errors.ts";
import type { Prompts } from "../contract.ts";

/** On stderr: stdout belongs to results. */
const output = process.stderr;

/** The contract's questions, drawn by clack. */
export const nodePrompts: Prompts = {
  begin: (title) => intro(title, { output }),
  note: (line) => log.message(line, { output }),
  end: (line) => outro(line, { output }),
  text: async (message, { initial, placeholder, check, signal }) => {
    throwIfAborted(signal);
    const shown = placeholder ?? initial;
    const answer = await text({
      message,
      output,
      signal,
      ...(initial === undefined ? {} : { defaultValue: initial }),
      ...(shown === undefined ? {} : { placeholder: shown }),
      validate: (value) => check?.(value === undefined || value === "" ? (initial ?? "") : value),
    });
    return answered(answer);
  },
  hidden: async (message, { check, signal }) => {
    throwIfAborted(signal);
    return answered(await password({ message, output, signal, validate: (value) => check?.(value ?? "") }));
  },
  choose: async (message, { choices, initial, signal }) => {
    throwIfAborted(signal);
    const options = choices.map(({ value, label, hint }) => ({
      value,
      label,
      ...(hint === undefined ? {} : { hint }),
    }));
    // Generic over text, which clack's own type of an option tells apart from objects.
    const answer = await select<string>({ message, output, signal, options, initialValue: initial });
    const chosen = answered(answer);
    return choices.find(({ value }) => value === chosen)?.value ?? initial;
  },
  confirm: async (message, { initial, signal }) => {
    throwIfAborted(signal);
    return answered(await confirm({ message, output, signal, initialValue: initial }));
  },
};

/** What clack answers at Ctrl-C and at an abort is a symbol. @throws SyncError `aborted` */
function answered<T>(answer: T): Exclude<T, symbol> {
  if (typeof answer === "symbol") throw new SyncError("aborted", "the operation was cancelled");
  return answer as Exclude<T, symbol>;
}
