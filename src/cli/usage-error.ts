import type { CommanderError } from "commander";
import { SyncError } from "../core/errors.ts";

const SECRET_WORD = /pass|secret|token|key|credential/i;
const NO_SECRETS_HERE =
  "a secret never goes on the command line, where every process can read it: " +
  "the vault's passphrase comes from COMFYVN_SECRETS_KEY, --passphrase-file or a prompt, a value for the vault from stdin";

/**
 * What commander complains of as an error of the product, on one line and without any value that was given: the parser's
 * own messages repeat arguments, and one of them may be a secret at the wrong place.
 */
export function usageError(error: CommanderError): SyncError {
  return new SyncError("usage", wordsFor(error), { cause: error });
}

function wordsFor({ code, message }: CommanderError): string {
  const text = message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
  switch (code) {
    case "commander.help":
      return "name a command; --help lists them";
    case "commander.unknownCommand":
      return text.replace(/ \(Did you mean (.*)\)$/, "; did you mean $1");
    case "commander.unknownOption":
      return unknownOption(text);
    case "commander.excessArguments":
      return tooManyArguments(text);
    default:
      return text;
  }
}

function unknownOption(text: string): string {
  const given = /^unknown option '([^']*)/.exec(text)?.[1] ?? "";
  const flag = given.startsWith("--") ? (given.split("=")[0] ?? "") : given.slice(0, 2);
  if (SECRET_WORD.test(flag)) return `unknown option ${flag}; ${NO_SECRETS_HERE}`;
  const suggestion = /\(Did you mean ([^)]*)\)$/.exec(text)?.[1];
  return `unknown option ${flag}${suggestion === undefined ? "; --help lists the options" : `; did you mean ${suggestion}`}`;
}

function tooManyArguments(text: string): string {
  const [, command, expected] = /^too many arguments(?: for '([^']*)')?\. Expected (\d+)/.exec(text) ?? [];
  const what = `too many arguments${command === undefined ? "" : ` for ${command}`}: it takes ${expected ?? "fewer"}`;
  return command === "set" ? `${what}; ${NO_SECRETS_HERE}` : what;
}
