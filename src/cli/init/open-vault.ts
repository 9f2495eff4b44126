import type { App } from "../../app.ts";
import type { JsonObject } from "../../core/json.ts";
import type { CommandLine } from "../command-line.ts";
import { newPassphrase, readPassphraseFile } from "../passphrase.ts";
import { generateVault } from "../vault/init.ts";
import type { Answers } from "./answers.ts";

export interface OpenVault {
  readonly payload: JsonObject;
  readonly passphrase: string | undefined;
}

export interface VaultSources {
  readonly passphraseFile: string | undefined;
  readonly generate: boolean;
}

/** The workspace's vault; undefined where there is none yet. @throws SyncError as SecretsVault.unlock */
export async function openVault(cli: CommandLine, app: App, sources: VaultSources): Promise<OpenVault | undefined> {
  if (!(await app.hasVault())) return undefined;
  const { passphraseFile } = sources;
  const passphrase =
    passphraseFile === undefined ? await app.passphrase() : await readPassphraseFile(cli, passphraseFile);
  return { payload: await app.vault.unlock(passphrase), passphrase };
}

/** A new vault's passphrase. @throws SyncError as newPassphrase and generateVault */
export async function makeVault(
  cli: CommandLine,
  app: App,
  answers: Answers,
  { passphraseFile, generate }: VaultSources,
): Promise<string> {
  const isGiven = passphraseFile !== undefined || cli.platform.env("COMFYVN_SECRETS_KEY") !== undefined;
  if (generate || (!isGiven && (await wantsGenerated(answers)))) {
    return (await generateVault(cli, app, passphraseFile)).passphrase;
  }
  const passphrase = await newPassphrase(cli, {
    file: passphraseFile,
    fileFlag: "--passphrase-file, or --generate",
    variable: "COMFYVN_SECRETS_KEY",
    of: "the new vault",
  });
  await app.vault.create({}, passphrase);
  return passphrase;
}

async function wantsGenerated(answers: Answers): Promise<boolean> {
  if (answers.prompts === undefined) return false;
  const words = "The credentials go into an encrypted vault. Which passphrase should open it?";
  const choices = [
    { value: "make", label: "Make a strong one and show it once" },
    { value: "type", label: "I type my own" },
  ] as const;
  return (await answers.choose("--generate", undefined, words, choices, "make")) === "make";
}
