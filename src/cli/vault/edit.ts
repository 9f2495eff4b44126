import { Command } from "commander";
import type { App } from "../../app.ts";
import { describeFault } from "../../config/config-file.ts";
import { SyncError, toSyncError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { CommandLine } from "../command-line.ts";
import { printable } from "../format.ts";
import { withHelp } from "../help.ts";
import { withJson, withPassphrase } from "../options.ts";
import { decodeText } from "../passphrase.ts";
import { withApp, type WorkspaceFlags } from "../workspace.ts";
import { type EditFile, withEditFile } from "./edit-file.ts";
import { savedJson, savedText } from "./saved-text.ts";
import { parseSecretJson } from "./secret-input.ts";

/** More than the vault itself may hold. */
const EDITED_BYTES_MAX = 1024 * 1024;
const NO_SUCH_PROGRAM: ReadonlySet<number> = new Set([126, 127, 9009]);
const ENDED_BY_CTRL_C = 130;

type Saved = Awaited<ReturnType<App["vault"]["store"]>>;

/** `vault edit`: the payload in an editor. */
export function editCommand(cli: CommandLine): Command {
  const command = withJson(
    withPassphrase(
      new Command("edit").description("change all that the vault holds in your editor ($VISUAL, $EDITOR)"),
    ),
  );
  withHelp(command, {
    words: `
The editor gets the secrets as JSON in a file that only you can read, in memory
and not on a disk where the system can do that, and says so where it cannot. The
file is gone afterwards, however the edit ends. Save and leave the editor to store
the vault; leave without saving, or with an error status (:cq in vi), to change
nothing. Text that is not JSON can be edited again.`,
    examples: [
      ["in the editor of your shell", "comfyvn-sync vault edit"],
      ["in another one; it has to wait until you close it", "EDITOR='code --wait' comfyvn-sync vault edit"],
    ],
  });
  return cli.action(command, async (called) => {
    const flags = called.optsWithGlobals<WorkspaceFlags>();
    const result = await withApp(cli, flags, async (app) => {
      const editor = chooseEditor(cli);
      cli.whenStopped = "the vault is as it was; the edit is gone";
      const passphrase = await app.passphrase();
      const opened = await app.vault.unlock(passphrase);
      const bytes = new TextEncoder().encode(`${JSON.stringify(opened, null, 2)}\n`);
      return await withEditFile(cli, bytes, async (file) => {
        const edit = new Edit(cli, file, editor);
        return await edit.untilSaved(new Keeper(app, opened, passphrase));
      });
    });
    await (flags.json === true ? cli.printJson(savedJson(result)) : cli.print(savedText(result)));
  });
}

/** @throws SyncError `usage` when there is none and nobody at a terminal */
function chooseEditor({ platform }: CommandLine): string {
  const named = platform.env("VISUAL") ?? platform.env("EDITOR");
  if (named !== undefined) return named;
  if (platform.terminal.canAsk) return platform.env("ComSpec") === undefined ? "vi" : "notepad";
  throw new SyncError(
    "usage",
    "an edit needs a terminal, or EDITOR set to a program that edits a file by itself; " +
      "scripts use vault set, or vault import -",
  );
}

/** Stores the edited payload, unless the vault is another one by then. */
class Keeper {
  constructor(
    private readonly app: App,
    private opened: JsonObject,
    private readonly passphrase: string | undefined,
  ) {}

  /** @throws SyncError `vault_busy` when something else changed the vault since it was opened */
  async save(payload: JsonObject): Promise<Saved> {
    const expected = JSON.stringify(this.opened);
    return await this.app.vault.update((current) => {
      if (JSON.stringify(current) === expected) return payload;
      throw new SyncError(
        "vault_busy",
        "something else changed the vault while you edited; nothing of yours is stored yet",
      );
    }, this.passphrase);
  }

  /** Whatever the vault holds now may be replaced: it becomes backup 0. */
  async lookAgain(): Promise<void> {
    this.opened = await this.app.vault.unlock(this.passphrase);
  }
}

class Edit {
  constructor(
    private readonly cli: CommandLine,
    private readonly file: EditFile,
    private readonly editor: string,
  ) {}

  /** Edits and stores, again after what can be put right. */
  async untilSaved(keeper: Keeper): Promise<Saved> {
    for (;;) {
      await this.#runEditor();
      try {
        return await this.#store(keeper);
      } catch (thrown) {
        await this.#offerAnother(toSyncError(thrown));
      }
    }
  }

  async #store(keeper: Keeper): Promise<Saved> {
    const payload = await this.#edited();
    try {
      return await keeper.save(payload);
    } catch (thrown) {
      if (!(thrown instanceof SyncError) || thrown.code !== "vault_busy") throw thrown;
      this.#say(thrown);
      const question = "Store yours in its place? What the vault holds now becomes its backup 0.";
      if (!(await this.#confirmed(question, false))) throw thrown;
      await keeper.lookAgain();
      return await keeper.save(payload);
    }
  }

  async #runEditor(): Promise<void> {
    const { cli, editor, file } = this;
    cli.interruptIsForeign = true;
    const status = await cli.platform.terminal.runEditor(editor, file.path, file.signal).finally(() => {
      cli.interruptIsForeign = false;
    });
    if (status === 0) return;
    if (status === ENDED_BY_CTRL_C) throw new SyncError("aborted", "the edit was cancelled");
    if (NO_SUCH_PROGRAM.has(status)) {
      throw new SyncError("usage", "the editor cannot be started; set VISUAL or EDITOR to one, e.g. EDITOR=nano");
    }
    throw new SyncError(
      "bad_request",
      `the editor ended with status ${status}; the vault is as it was, the edit is gone`,
    );
  }

  /** @throws SyncError `bad_request` when the text is not a JSON object, with the place of the fault */
  async #edited(): Promise<JsonObject> {
    const bytes = await this.cli.platform.files.readBytes(this.file.path, EDITED_BYTES_MAX);
    if (bytes === undefined) throw new SyncError("bad_request", "the editor removed the file");
    const text = decodeText(bytes, "the edited text");
    let payload: unknown;
    try {
      payload = parseSecretJson(text, "the edited text");
    } catch (thrown) {
      const error = toSyncError(thrown);
      const fault = describeFault(text);
      throw fault.startsWith("line") ? new SyncError(error.code, `the edited text is not JSON: ${fault}`) : error;
    }
    if (isJsonObject(payload)) return payload;
    throw new SyncError("bad_request", "the edited text must be a JSON object, {…}");
  }

  /** @throws `error` itself when nobody can be asked; SyncError `aborted` when the edit is given up */
  async #offerAnother(error: SyncError): Promise<void> {
    if (error.code === "aborted") throw error;
    if (!this.cli.platform.terminal.canAsk) {
      this.cli.note("the vault is as it was; the edit is gone");
      throw error;
    }
    if (error.code !== "vault_busy") this.#say(error);
    if (!(await this.#confirmed("Edit it again? Otherwise the edit is gone and the vault stays as it was.", true))) {
      throw new SyncError("aborted", "the edit was given up");
    }
  }

  #say(error: SyncError): void {
    this.cli.note(`${this.cli.noteStyle.bad("error:")} ${printable(error.message)}`);
  }

  async #confirmed(question: string, initial: boolean): Promise<boolean> {
    const { terminal } = this.cli.platform;
    if (!terminal.canAsk) return false;
    return await (await terminal.prompts()).confirm(question, { initial, signal: this.file.signal });
  }
}
